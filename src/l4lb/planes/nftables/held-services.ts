/** Services as elements of the maps: what was read last plus our confirmed writes. */
import type { Nftables, NftOperation } from '../../../kernel/nftables.ts'
import { type Family, familyOf } from '../../../model/ip.ts'
import {
  type Backend,
  formatEndpoint,
  parseServiceKey,
  type Service,
  type ServiceKey,
} from '../../../model/vip.ts'
import { slotsOf } from '../../slots.ts'
import { renderSlots } from '../render.ts'
import { assignSlots } from './assign-slots.ts'
import { addElements, deleteElements } from './element-operations.ts'
import {
  encodeEndpoint,
  encodeNumber,
  encodeSlotKey,
  encodeVipKey,
  pack,
  type SlotEndpoint,
} from './elements.ts'
import { type HeldService, observeServices } from './observe.ts'
import { slotChain, TABLE } from './ruleset.ts'

/** The operations of one change, and what is true once they are done. */
export interface ElementChange {
  readonly operations: NftOperation[]
  readonly confirm: () => void
}

/** The services in the maps of the table. */
export class HeldServices {
  #held = new Map<ServiceKey, HeldService>()
  /** Chains for a number of slots that exist and are reachable, as `4/3`. */
  #classes = new Set<string>()

  /** Renderings of what is held. */
  renderings(): Map<ServiceKey, string> {
    return new Map([...this.#held].map(([key, { rendering }]) => [key, rendering]))
  }

  /** Reads the maps. @param slotChains the slot chains whose rules are right */
  async observe(nftables: Nftables, slotChains: ReadonlySet<string>): Promise<void> {
    const { held, classes } = await observeServices(nftables, slotChains)
    this.#held = held
    this.#classes = classes
  }

  /** Forgets everything: the table is gone. */
  clear(): void {
    this.#held = new Map()
    this.#classes = new Set()
  }

  /** The change that makes the service exist with its backends. */
  put(key: ServiceKey, service: Service): ElementChange {
    const family = familyOf(service.address)
    const old = this.#held.get(key)
    const { held, endpoints } = assign(old, service.backends)
    const count = held.slots.length
    const operations = this.#ensureClass(family, count)
    const changed = slotChanges(old, held.slots)
    operations.push(...removeSlots(service, changed.removed))
    operations.push(...addSlots(service, changed.added, endpoints))
    if (old?.slotCount !== count) operations.push(...setClass(service, old, count))
    return {
      operations,
      confirm: () => void this.#held.set(key, held),
    }
  }

  /** The change that makes the service not exist. */
  remove(key: ServiceKey): ElementChange {
    const service = parseServiceKey(key)
    const old = this.#held.get(key)
    if (old === undefined) return { operations: [], confirm: () => undefined }
    return {
      operations: [...unsetClass(service, old), ...removeSlots(service, old.slotNumbers)],
      confirm: () => void this.#held.delete(key),
    }
  }

  /** Once per number of slots; should the kernel refuse it, the next observation says so. */
  #ensureClass(family: Family, slots: number): NftOperation[] {
    const name = `${family}/${slots}`
    if (slots === 0 || this.#classes.has(name)) return []
    this.#classes.add(name)
    return classOperations(family, slots)
  }
}

/** Makes the chain that draws one of `slots` slots, and its way in. */
function classOperations(family: Family, slots: number): NftOperation[] {
  const { name: chain, rules } = slotChain(family, slots)
  const object = { table: TABLE, chain }
  return [
    { kind: 'addChain', ...object },
    { kind: 'flushChain', ...object },
    ...rules.map((expressions): NftOperation => ({ kind: 'addRule', ...object, expressions })),
    addElements(`classes${family}`, { keys: encodeNumber(slots), chains: [chain] }),
  ]
}

/** Gives every slot its backend; unchanged ones stay where they are. */
function assign(
  old: HeldService | undefined,
  backends: readonly Backend[],
): { held: HeldService; endpoints: ReadonlyMap<string, SlotEndpoint> } {
  const wanted = slotsOf(backends)
  const endpoints = new Map(wanted.map((backend) => [formatEndpoint(backend), backend]))
  const slots = assignSlots(old?.slots ?? [], wanted.map(formatEndpoint))
  const held = {
    slotCount: slots.length,
    slots,
    slotNumbers: slots.map((_, slot) => slot),
    rendering: renderSlots(wanted),
  }
  return { held, endpoints }
}

interface SlotChanges {
  readonly removed: number[]
  readonly added: { readonly slot: number; readonly endpoint: string }[]
}

function slotChanges(old: HeldService | undefined, slots: readonly string[]): SlotChanges {
  const held = old?.slots ?? []
  const removed = (old?.slotNumbers ?? []).filter((slot) => held[slot] !== slots[slot])
  const added = slots
    .map((endpoint, slot) => ({ slot, endpoint }))
    .filter(({ slot, endpoint }) => held[slot] !== endpoint)
  return { removed, added }
}

type ServiceEndpoint = Pick<Service, 'address' | 'port' | 'protocol'>

function removeSlots(service: ServiceEndpoint, slots: readonly number[]): NftOperation[] {
  if (slots.length === 0) return []
  const keys = pack(slots.map((slot) => encodeSlotKey(service, slot)))
  return [deleteElements(`slots${familyOf(service.address)}`, keys)]
}

function addSlots(
  service: ServiceEndpoint,
  added: SlotChanges['added'],
  endpoints: ReadonlyMap<string, SlotEndpoint>,
): NftOperation[] {
  if (added.length === 0) return []
  const keys = pack(added.map(({ slot }) => encodeSlotKey(service, slot)))
  const found = added.map(({ endpoint }) => endpoints.get(endpoint))
  const values = pack(found.filter((endpoint) => endpoint !== undefined).map(encodeEndpoint))
  return [addElements(`slots${familyOf(service.address)}`, { keys, values })]
}

function setClass(
  service: ServiceEndpoint,
  old: HeldService | undefined,
  slotCount: number,
): NftOperation[] {
  const entry = { keys: encodeVipKey(service), values: encodeNumber(slotCount) }
  return [...unsetClass(service, old), addElements(`vips${familyOf(service.address)}`, entry)]
}

function unsetClass(service: ServiceEndpoint, old: HeldService | undefined): NftOperation[] {
  if (old?.slotCount === undefined) return []
  return [deleteElements(`vips${familyOf(service.address)}`, encodeVipKey(service))]
}
