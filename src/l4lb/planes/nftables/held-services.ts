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
import { type HeldService, type IntactStructure, observeServices } from './observe.ts'
import { observeSelfAddresses, SelfAddresses } from './self-addresses.ts'
import { SlotClasses, slotClassOf } from './slot-classes.ts'

/** The operations of one change, and what is true once they are done. */
export interface ElementChange {
  readonly operations: NftOperation[]
  readonly confirm: () => void
}

/** The services in the maps of the table. */
export class HeldServices {
  #held = new Map<ServiceKey, HeldService>()
  readonly #classes = new SlotClasses()
  readonly #self = new SelfAddresses()

  /** Renderings of what is held. */
  renderings(): Map<ServiceKey, string> {
    return new Map([...this.#held].map(([key, { rendering }]) => [key, rendering]))
  }

  /** Reads the maps. @param structure what of it is intact */
  async observe(nftables: Nftables, structure: IntactStructure): Promise<void> {
    const { classes } = structure
    this.#held = await observeServices(nftables, structure)
    const users = [...this.#held].filter(([, { slotCount }]) => slotCount !== undefined)
    this.#classes.reset(
      classes,
      users.map(([key, { slotCount }]) => slotClassOf(familyOfKey(key), slotCount ?? 0)),
    )
    const used = [...this.#held.values()].flatMap(({ addresses }) => addresses)
    this.#self.reset(await observeSelfAddresses(nftables, structure.sets), used)
  }

  /** What makes the sets beside the maps fit them; for right after an observation. */
  repairs(): NftOperation[] {
    return this.#self.repair()
  }

  /** The rules that services with these backends need; for before they are put. */
  prepare(services: readonly Service[]): NftOperation[] {
    const classes = services.map(({ address, backends }) => {
      return slotClassOf(familyOf(address), slotsOf(backends).length)
    })
    return this.#classes.prepare(classes.filter((slotClass) => !slotClass.endsWith('/0')))
  }

  /** Removes rules that no service needs any more. */
  prune(): NftOperation[] {
    return this.#classes.prune()
  }

  /** The change that makes the service exist with its backends. */
  put(key: ServiceKey, service: Service): ElementChange {
    const old = this.#held.get(key)
    const { held, endpoints } = assign(old, service.backends)
    const { removed, added } = slotChanges(old, held.slots)
    const operations = [
      ...this.#self.change(held.addresses, old?.addresses ?? []),
      ...removeSlots(service, removed),
      ...addSlots(service, added, endpoints),
    ]
    if (old?.slotCount !== held.slotCount)
      operations.push(...setClass(service, old, held.slots.length))
    return { operations, confirm: () => this.#replace(key, held) }
  }

  /** The change that makes the service not exist. */
  remove(key: ServiceKey): ElementChange {
    const service = parseServiceKey(key)
    const old = this.#held.get(key)
    if (old === undefined) return { operations: [], confirm: () => undefined }
    const operations = [
      ...unsetClass(service, old),
      ...removeSlots(service, old.slotNumbers),
      ...this.#self.change([], old.addresses),
    ]
    return { operations, confirm: () => this.#replace(key, undefined) }
  }

  #replace(key: ServiceKey, held: HeldService | undefined): void {
    const family = familyOfKey(key)
    const before = this.#held.get(key)?.slotCount
    if (before !== undefined) this.#classes.count(slotClassOf(family, before), -1)
    if (held?.slotCount !== undefined) this.#classes.count(slotClassOf(family, held.slotCount), 1)
    if (held === undefined) this.#held.delete(key)
    else this.#held.set(key, held)
  }
}

function familyOfKey(key: ServiceKey): Family {
  return familyOf(parseServiceKey(key).address)
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
    addresses: wanted.map(({ address }) => address),
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
  const isWanted = (slot: number): boolean => slot < slots.length && held[slot] === slots[slot]
  const removed = (old?.slotNumbers ?? []).filter((slot) => !isWanted(slot))
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
