/** Reads services back from the maps of the table. */
import type { Nftables } from '../../../kernel/nftables.ts'
import type { Family, Ip } from '../../../model/ip.ts'
import { formatEndpoint, type ServiceKey, serviceKeyOf } from '../../../model/vip.ts'
import { renderDamaged, renderSlots } from '../render.ts'
import { decodeEndpoint, decodeNumber, decodeVip, type SlotEndpoint } from './elements.ts'
import { LENGTHS, TABLE } from './ruleset.ts'
import { type SlotClass, slotClassOf } from './slot-classes.ts'

/** A service as the maps have it. */
export interface HeldService {
  /** The value in `vips…`; undefined when slots exist without it. */
  readonly slotCount: number | undefined
  /** Endpoints by slot, as text; holes where elements are missing. */
  readonly slots: string[]
  /** The addresses of the slots, with repetitions. */
  readonly addresses: readonly Ip[]
  /** The slots that exist, to delete them by. */
  readonly slotNumbers: readonly number[]
  readonly rendering: string
}

/** What of the table's structure services can rely on. */
export interface IntactStructure {
  /** Numbers of slots whose chain and rule are intact. */
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
    const slots = sets.has(`slots${family}`) ? await readSlots(nftables, family) : new Map()
    const counts = sets.has(`vips${family}`) ? await readCounts(nftables, family) : new Map()
    for (const key of new Set([...slots.keys(), ...counts.keys()])) {
      const slotCount = counts.get(key)
      const isReachable = slotCount === 0 || classes.has(slotClassOf(family, slotCount ?? 0))
      held.set(key, describe({ slotCount, found: slots.get(key) ?? new Map(), isReachable }))
    }
  }
  return held
}

/** The VIPs in those of the maps that are there. */
export async function observeVips(
  nftables: Nftables,
  sets: ReadonlySet<string>,
): Promise<readonly ServiceKey[]> {
  const families = ([4, 6] as const).filter((family) => sets.has(`vips${family}`))
  const counts = await Promise.all(families.map((family) => readCounts(nftables, family)))
  return counts.flatMap((each) => [...each.keys()])
}

type SlotMap = Map<number, SlotEndpoint>

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

async function readCounts(nftables: Nftables, family: Family): Promise<Map<ServiceKey, number>> {
  const { vipKey } = LENGTHS[family]
  const request = { table: TABLE, set: `vips${family}`, keyLength: vipKey, valueLength: 4 }
  const { keys, values } = await nftables.elements(request)
  const counts = new Map<ServiceKey, number>()
  for (let index = 0; index * vipKey < keys.length; index++) {
    const vip = decodeVip(keys, index * vipKey, family)
    if (vip !== undefined) counts.set(serviceKeyOf(vip), decodeNumber(values, index * 4))
  }
  return counts
}

/** Slots beyond this are none of ours; they are only deleted. */
const SLOT_SANITY_LIMIT = 65_536

interface Found {
  readonly slotCount: number | undefined
  readonly found: SlotMap
  readonly isReachable: boolean
}

function describe({ slotCount, found, isReachable }: Found): HeldService {
  const slots: string[] = []
  for (const [slot, endpoint] of found) {
    if (slot < SLOT_SANITY_LIMIT) slots[slot] = formatEndpoint(endpoint)
  }
  const isWhole = isReachable && slotCount === found.size && slots.length === found.size
  const rendering = isWhole
    ? renderSlots([...found.values()])
    : renderDamaged('slots or their chain are missing or too many')
  const addresses = [...found.values()].map(({ address }) => address)
  return { slotCount, slots, addresses, slotNumbers: [...found.keys()], rendering }
}
