/** Reads services back from the BPF maps. */
import type { BpfMap } from '../../../kernel/bpf.ts'
import { type Backend, formatEndpoint, type ServiceKey, serviceKeyOf } from '../../../model/vip.ts'
import { slotsOf } from '../../slots.ts'
import { renderBackends, renderDamaged } from '../render.ts'
import { readWord } from '../words.ts'
import { decodeEndpoint, decodeSlotKey, decodeVipKey, decodeVipValue, SIZES } from './layout.ts'

/** A service as the maps have it. */
export interface HeldService {
  readonly set: number
  /** The slots that exist and are no other VIP's, to delete them by. */
  readonly slotNumbers: readonly number[]
  readonly backends: readonly Backend[]
  readonly rendering: string
}

/** Everything the maps say. */
export interface ServiceDump {
  readonly held: Map<ServiceKey, HeldService>
  /** Entries that are no one VIP's; those that come into use are not to be deleted. */
  readonly orphans: { readonly slotKeys: Uint8Array[]; readonly memberKeys: Uint8Array[] }
  /** Set numbers that occur, in a VIP or in an orphaned slot: none of them is free. */
  readonly sets: Set<number>
}

/** Endpoints of one set by slot, with the keys to delete them by. */
interface SlotSet {
  readonly endpoints: Map<number, string>
  readonly keys: Uint8Array[]
}

interface Membership {
  readonly backends: Backend[]
  readonly keys: Uint8Array[]
}

/** Reads the maps; slots first, so that a set is never taken for missing while it is written. */
export async function observeServices(maps: {
  readonly vips: BpfMap
  readonly slots: BpfMap
  readonly members: BpfMap
}): Promise<ServiceDump> {
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
    const { set, slots } = decodeVipValue(values, index * SIZES.vipValue)
    const backends = members.get(key)?.backends ?? []
    if (shared.has(set)) {
      held.set(key, { set, slotNumbers: [], backends, rendering: renderDamaged('shared slots') })
    } else {
      const found: SlotSet = slotSets.get(set) ?? { endpoints: new Map(), keys: [] }
      const rendering = renderHeld({ backends, slots, found })
      held.set(key, { set, slotNumbers: [...found.endpoints.keys()], backends, rendering })
    }
    sets.add(set)
  }
  return { held, sets, orphans: orphansOf({ held, slotSets, members, shared }) }
}

/** Sets that more than one VIP names: none of them may delete the slots. */
function sharedSets(vipValues: Uint8Array): Set<number> {
  const [seen, shared] = [new Set<number>(), new Set<number>()]
  for (let offset = 0; offset < vipValues.length; offset += SIZES.vipValue) {
    const { set } = decodeVipValue(vipValues, offset)
    if (seen.has(set)) shared.add(set)
    seen.add(set)
  }
  return shared
}

function readSlots({
  keys,
  values,
}: {
  keys: Uint8Array
  values: Uint8Array
}): Map<number, SlotSet> {
  const sets = new Map<number, SlotSet>()
  for (let index = 0; index * SIZES.slotKey < keys.length; index++) {
    const { set, slot } = decodeSlotKey(keys, index * SIZES.slotKey)
    const entry: SlotSet = sets.get(set) ?? { endpoints: new Map(), keys: [] }
    sets.set(set, entry)
    entry.endpoints.set(slot, formatEndpoint(decodeEndpoint(values, index * SIZES.endpoint)))
    entry.keys.push(keys.subarray(index * SIZES.slotKey, (index + 1) * SIZES.slotKey))
  }
  return sets
}

function readMembers(dump: { keys: Uint8Array; values: Uint8Array }): Map<ServiceKey, Membership> {
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
  readonly slots: number
  readonly found: SlotSet
}

/** A service is whole when its slots are those that its members' weights make. */
function renderHeld({ backends, slots, found: { endpoints } }: Found): string {
  const isExact = endpoints.size === slots && [...endpoints.keys()].every((slot) => slot < slots)
  const expected = slotsOf(backends).map(formatEndpoint)
  const isWhole = isExact && [...endpoints.values()].sort().join() === expected.sort().join()
  return isWhole ? renderBackends(backends) : renderDamaged('slots are not those of the backends')
}

interface Everything extends Pick<ServiceDump, 'held'> {
  readonly slotSets: Map<number, SlotSet>
  readonly members: Map<ServiceKey, Membership>
  readonly shared: ReadonlySet<number>
}

function orphansOf({ held, slotSets, members, shared }: Everything): ServiceDump['orphans'] {
  const sets = new Set([...held.values()].map(({ set }) => set))
  const slotKeys = [...slotSets]
    .filter(([set]) => !sets.has(set) || shared.has(set))
    .flatMap(([, entry]) => entry.keys)
  const memberKeys = [...members]
    .filter(([key]) => !held.has(key))
    .flatMap(([, entry]) => entry.keys)
  return { slotKeys, memberKeys }
}
