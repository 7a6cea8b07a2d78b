/** Reads services back from the maps of the table. */
import type { Nftables } from '../../../kernel/nftables.ts'
import { parseEndpoint } from '../../../model/endpoint.ts'
import type { Family, Ip } from '../../../model/ip.ts'
import { toPort } from '../../../model/port.ts'
import { formatEndpoint, type ServiceKey, serviceKeyOf } from '../../../model/vip.ts'
import { renderDamaged } from '../render.ts'
import { decodeSlotDraw, type SlotDraw, turnCounterOf } from './draw.ts'
import {
  decodeDrain,
  decodeEndpoint,
  decodeMember,
  decodeNumber,
  decodeVip,
  type SlotEndpoint,
} from './elements.ts'
import { LENGTHS, TABLE } from './ruleset.ts'
import { renderForm } from './service-form.ts'
import { type SlotClass, slotClassOf } from './slot-classes.ts'

/** A service as the maps have it. */
export interface HeldService {
  /** The value in `vips…`; undefined when other elements exist without it. */
  readonly vipValue: number | undefined
  /** What that value says; undefined when it is none of ours. */
  readonly draw: SlotDraw | undefined
  /** Endpoints by slot, as text; holes where elements are missing. */
  readonly slots: string[]
  /** The addresses of the slots, with repetitions. */
  readonly addresses: readonly Ip[]
  /** The slots that exist, to delete them by. */
  readonly slotNumbers: readonly number[]
  readonly draining: readonly SlotEndpoint[]
  /** The value in `drains…`. */
  readonly drainValue: number | undefined
  readonly rendering: string
}

/** A backend of a service. */
export interface Member {
  readonly key: ServiceKey
  readonly backend: SlotEndpoint
}

/** Those that have slots, each once. Not kept: they would take much room. */
export function activeOf({ slots }: Pick<HeldService, 'slots'>): SlotEndpoint[] {
  return [...new Set(slots)].flatMap((text = '') => {
    const { address, port } = parseEndpoint(text) ?? {}
    const known = toPort(port)
    return address === undefined || known === undefined ? [] : [{ address, port: known }]
  })
}

/** What of the table's structure services can rely on. */
export interface IntactStructure {
  /** Classes of slots whose chain and rule are intact. */
  readonly classes: ReadonlySet<SlotClass>
  /** The sets that are there. */
  readonly sets: ReadonlySet<string>
}

/** Reads both families. */
export async function observeServices(
  nftables: Nftables,
  { classes, sets }: IntactStructure,
): Promise<Map<ServiceKey, HeldService>> {
  const held = new Map<ServiceKey, HeldService>()
  for (const family of [4, 6] as const) {
    const slots = sets.has(`slots${family}`) ? await readSlots(nftables, family) : NOTHING
    const values = await readValues(nftables, `vips${family}`, sets)
    const drains = await readValues(nftables, `drains${family}`, sets)
    const draining = byService(await readMembers(nftables, `draining${family}`, sets))
    const keys = [slots, values, drains, draining].flatMap((each) => [...each.keys()])
    for (const key of new Set(keys)) {
      const vipValue = values.get(key)
      const draw = vipValue === undefined ? undefined : decodeSlotDraw(vipValue)
      const isReachable = draw?.slots === 0 || (draw && classes.has(slotClassOf(family, draw)))
      const elements = { found: slots.get(key) ?? NO_SLOTS, draining: draining.get(key) ?? NOBODY }
      const found = { vipValue, draw, drainValue: drains.get(key), ...elements }
      held.set(key, describe({ ...found, isReachable: isReachable === true }))
    }
  }
  return held
}

/** Backends that left and whose flows may not have been ended. */
export async function observeLeft(
  nftables: Nftables,
  sets: ReadonlySet<string>,
): Promise<readonly Member[]> {
  const families = ([4, 6] as const).map((family) => readMembers(nftables, `left${family}`, sets))
  return (await Promise.all(families)).flat()
}

type SlotMap = Map<number, SlotEndpoint>
type SetName = `${'vips' | 'drains' | 'draining' | 'left'}${Family}`

const NOTHING: ReadonlyMap<ServiceKey, SlotMap> = new Map()
const NO_SLOTS: SlotMap = new Map()
const NOBODY: readonly SlotEndpoint[] = []

async function readSlots(nftables: Nftables, family: Family): Promise<Map<ServiceKey, SlotMap>> {
  const { slotKey, vipKey, endpoint } = LENGTHS[family]
  const request = { table: TABLE, set: `slots${family}`, keyLength: slotKey, valueLength: endpoint }
  const { keys, values } = await nftables.elements(request)
  const services = new Map<ServiceKey, SlotMap>()
  for (let index = 0; index * slotKey < keys.length; index++) {
    const vip = decodeVip(keys, index * slotKey, family)
    if (vip === undefined) continue
    const key = serviceKeyOf(vip)
    const slots: SlotMap = services.get(key) ?? new Map()
    services.set(key, slots)
    const slot = decodeNumber(keys, index * slotKey + vipKey)
    slots.set(slot, decodeEndpoint(values, index * endpoint, family))
  }
  return services
}

async function readValues(
  nftables: Nftables,
  set: SetName,
  sets: ReadonlySet<string>,
): Promise<Map<ServiceKey, number>> {
  const found = new Map<ServiceKey, number>()
  if (!sets.has(set)) return found
  const family = familyIn(set)
  const { vipKey } = LENGTHS[family]
  const request = { table: TABLE, set, keyLength: vipKey, valueLength: 4 }
  const { keys, values } = await nftables.elements(request)
  for (let index = 0; index * vipKey < keys.length; index++) {
    const vip = decodeVip(keys, index * vipKey, family)
    if (vip !== undefined) found.set(serviceKeyOf(vip), decodeNumber(values, index * 4))
  }
  return found
}

async function readMembers(
  nftables: Nftables,
  set: SetName,
  sets: ReadonlySet<string>,
): Promise<Member[]> {
  if (!sets.has(set)) return []
  const family = familyIn(set)
  const { memberKey } = LENGTHS[family]
  const request = { table: TABLE, set, keyLength: memberKey, valueLength: 0 }
  const { keys } = await nftables.elements(request)
  const members: Member[] = []
  for (let offset = 0; offset < keys.length; offset += memberKey) {
    const vip = decodeVip(keys, offset, family)
    if (vip === undefined) continue
    members.push({ key: serviceKeyOf(vip), backend: decodeMember(keys, offset, family) })
  }
  return members
}

function familyIn(set: SetName): Family {
  return set.endsWith('4') ? 4 : 6
}

function byService(members: readonly Member[]): Map<ServiceKey, SlotEndpoint[]> {
  const services = new Map<ServiceKey, SlotEndpoint[]>()
  for (const { key, backend } of members) {
    const known = services.get(key)
    if (known === undefined) services.set(key, [backend])
    else known.push(backend)
  }
  return services
}

/** Slots beyond this are none of ours; they are only deleted. */
const SLOT_SANITY_LIMIT = 65_536

interface Found extends Pick<HeldService, 'vipValue' | 'draw' | 'draining' | 'drainValue'> {
  readonly found: SlotMap
  readonly isReachable: boolean
}

function describe({ found, isReachable, ...rest }: Found): HeldService {
  const slots: string[] = []
  const inOrder: SlotEndpoint[] = []
  for (const [slot, endpoint] of found) {
    if (slot >= SLOT_SANITY_LIMIT) continue
    slots[slot] = formatEndpoint(endpoint)
    inOrder[slot] = endpoint
  }
  const { draw, draining, drainValue } = rest
  const isWhole = isReachable && draw?.slots === found.size && slots.length === found.size
  const rendering = isWhole
    ? renderForm({ way: wayOf(draw), slots: inOrder, draining, drain: decodeDrain(drainValue) })
    : renderDamaged('slots or their chain are missing or too many')
  const addresses = [...found.values()].map(({ address }) => address)
  const numbers = { slots, addresses, slotNumbers: [...found.keys()] }
  return { ...rest, ...numbers, rendering }
}

function wayOf({ by }: SlotDraw): 'random' | 'turns' | 'client' {
  return turnCounterOf(by) === undefined ? (by as 'random' | 'client') : 'turns'
}
