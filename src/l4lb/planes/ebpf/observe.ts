/** Reads services back from the BPF maps. */
import type { BpfEntries, BpfMap } from '../../../kernel/bpf.ts'
import { type Backend, formatEndpoint, type ServiceKey, serviceKeyOf } from '../../../model/vip.ts'
import type { Drain } from '../../../model/vip-options.ts'
import { renderDamaged } from '../render.ts'
import { readWord } from '../words.ts'
import {
  decodeEndpoint,
  decodeSet,
  decodeSlotKey,
  decodeVipKey,
  decodeVipValue,
  SIZES,
  type VipValue,
} from './layout.ts'
import { renderChoosing, slotSetOf } from './slot-set.ts'

/** A service as the maps have it. */
export interface HeldService {
  readonly set: number
  /** The slots that exist and are no other VIP's, to delete them by. */
  readonly slotNumbers: readonly number[]
  readonly backends: readonly Backend[]
  /** What becomes of connections to a backend that drains or goes. */
  readonly drain: Drain
  readonly rendering: string
}

/** Everything the maps say. */
export interface ServiceDump {
  readonly held: Map<ServiceKey, HeldService>
  /** Entries that are no one VIP's; those that come into use are not to be deleted. */
  readonly orphans: Orphans
  /** Set numbers that occur, in a VIP or in an orphaned slot: none of them is free. */
  readonly sets: Set<number>
}

/** Keys of entries without a VIP, by map. */
export interface Orphans {
  readonly slotKeys: readonly Uint8Array[]
  readonly memberKeys: readonly Uint8Array[]
  readonly measureKeys: readonly Uint8Array[]
  readonly cursorKeys: readonly Uint8Array[]
}

/** The maps that services are made of. */
export interface ServiceMaps {
  readonly vips: BpfMap
  readonly slots: BpfMap
  readonly members: BpfMap
  /** What was counted, by member; written by the programs. */
  readonly measures: BpfMap
  /** Whose turn it is, by VIP; written by the programs. */
  readonly cursors: BpfMap
}

/** Endpoints of one set by slot, with the keys to delete them by. */
interface FoundSlots {
  readonly endpoints: Map<number, string>
  readonly keys: Uint8Array[]
}

/** The backends of a service, with the keys of their entries. */
export interface Membership {
  readonly backends: Backend[]
  readonly keys: Uint8Array[]
}

/** Reads the maps; slots first, so that a set is never taken for missing while it is written. */
export async function observeServices(maps: ServiceMaps): Promise<ServiceDump> {
  const slotSets = readSlots(await maps.slots.dump())
  const members = readMembers(await maps.members.dump())
  const { keys, values } = await maps.vips.dump()
  const held = new Map<ServiceKey, HeldService>()
  const sets = new Set(slotSets.keys())
  const shared = sharedSets(values)
  for (let index = 0; index * SIZES.vipKey < keys.length; index++) {
    const vip = decodeVipKey(keys, index * SIZES.vipKey)
    if (vip === undefined) continue
    const key = serviceKeyOf(vip)
    const set = decodeSet(values, index * SIZES.vipValue)
    const value = decodeVipValue(values, index * SIZES.vipValue)
    const backends = members.get(key)?.backends ?? []
    const drain = value?.drain ?? 'graceful'
    if (shared.has(set)) {
      const rendering = renderDamaged('shared slots')
      held.set(key, { set, slotNumbers: [], backends, drain, rendering })
    } else {
      const found: FoundSlots = slotSets.get(set) ?? { endpoints: new Map(), keys: [] }
      const rendering = renderHeld({ backends, value, found })
      held.set(key, { set, slotNumbers: [...found.endpoints.keys()], backends, drain, rendering })
    }
    sets.add(set)
  }
  const measures = (await maps.measures.dump()).keys
  const cursors = (await maps.cursors.dump()).keys
  const orphans = orphansOf({ held, slotSets, members, shared, measures, cursors })
  return { held, sets, orphans }
}

/** Sets that more than one VIP names: none of them may delete the slots. */
function sharedSets(vipValues: Uint8Array): Set<number> {
  const [seen, shared] = [new Set<number>(), new Set<number>()]
  for (let offset = 0; offset < vipValues.length; offset += SIZES.vipValue) {
    const set = decodeSet(vipValues, offset)
    if (seen.has(set)) shared.add(set)
    seen.add(set)
  }
  return shared
}

function readSlots({ keys, values }: BpfEntries): Map<number, FoundSlots> {
  const sets = new Map<number, FoundSlots>()
  for (let index = 0; index * SIZES.slotKey < keys.length; index++) {
    const { set, slot } = decodeSlotKey(keys, index * SIZES.slotKey)
    const entry: FoundSlots = sets.get(set) ?? { endpoints: new Map(), keys: [] }
    sets.set(set, entry)
    entry.endpoints.set(slot, formatEndpoint(decodeEndpoint(values, index * SIZES.endpoint)))
    entry.keys.push(keys.subarray(index * SIZES.slotKey, (index + 1) * SIZES.slotKey))
  }
  return sets
}

/** Backends by service, from a dump of `members`. */
export function readMembers(dump: BpfEntries): Map<ServiceKey, Membership> {
  const members = new Map<ServiceKey, Membership>()
  for (let index = 0; index * SIZES.memberKey < dump.keys.length; index++) {
    const offset = index * SIZES.memberKey
    const vip = decodeVipKey(dump.keys, offset)
    if (vip === undefined) continue
    const key = serviceKeyOf(vip)
    const entry: Membership = members.get(key) ?? { backends: [], keys: [] }
    members.set(key, entry)
    const weight = readWord(dump.values, index * SIZES.memberValue)
    entry.backends.push({ ...decodeEndpoint(dump.keys, offset + SIZES.vipKey), weight })
    entry.keys.push(dump.keys.subarray(offset, offset + SIZES.memberKey))
  }
  return members
}

interface Found {
  readonly backends: readonly Backend[]
  readonly value: VipValue | undefined
  readonly found: FoundSlots
}

/** A service is whole when its entry and its slots are those that its members' weights make. */
function renderHeld({ backends, value, found: { endpoints } }: Found): string {
  if (value === undefined) return renderDamaged('the entry is not readable')
  const { slots, value: expected } = slotSetOf(backends, value)
  const isExact =
    value.slots === expected.slots &&
    value.firstHead === expected.firstHead &&
    value.heads === expected.heads &&
    endpoints.size === slots.length &&
    slots.every((backend, slot) => endpoints.get(slot) === formatEndpoint(backend))
  if (isExact) return renderChoosing(backends, value)
  return renderDamaged('slots are not those of the backends')
}

interface Everything extends Pick<ServiceDump, 'held'> {
  readonly slotSets: Map<number, FoundSlots>
  readonly members: Map<ServiceKey, Membership>
  readonly shared: ReadonlySet<number>
  readonly measures: Uint8Array
  readonly cursors: Uint8Array
}

function orphansOf(everything: Everything): Orphans {
  const { held, slotSets, members, shared, measures, cursors } = everything
  const sets = new Set([...held.values()].map(({ set }) => set))
  const slotKeys = [...slotSets]
    .filter(([set]) => !sets.has(set) || shared.has(set))
    .flatMap(([, entry]) => entry.keys)
  const memberKeys = [...members]
    .filter(([key]) => !held.has(key))
    .flatMap(([, entry]) => entry.keys)
  const isMeasured = (key: Uint8Array): boolean => {
    const backends = heldBy(held, key)?.backends ?? []
    const { address, port } = decodeEndpoint(key, SIZES.vipKey)
    return backends.some((backend) => backend.address === address && backend.port === port)
  }
  return {
    slotKeys,
    memberKeys,
    measureKeys: keysOf(measures, SIZES.memberKey).filter((key) => !isMeasured(key)),
    cursorKeys: keysOf(cursors, SIZES.vipKey).filter((key) => heldBy(held, key) === undefined),
  }
}

/** The service whose VIP a key begins with. */
function heldBy(held: ServiceDump['held'], key: Uint8Array): HeldService | undefined {
  const vip = decodeVipKey(key, 0)
  return vip && held.get(serviceKeyOf(vip))
}

function keysOf(packed: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: packed.length / size }, (_, index) =>
    packed.subarray(index * size, (index + 1) * size),
  )
}
