/** Services as elements of the maps: what was read last plus our confirmed writes. */
import type { Nftables, NftOperation } from '../../../kernel/nftables.ts'
import { type Family, familyOf } from '../../../model/ip.ts'
import {
  formatEndpoint,
  parseServiceKey,
  type Service,
  type ServiceKey,
  serviceKeyOf,
} from '../../../model/vip.ts'
import type { Drain } from '../../../model/vip-options.ts'
import { isDamaged } from '../render.ts'
import { assignSlots } from './assign-slots.ts'
import { encodeSlotDraw, type SlotDraw, turnCounterOf } from './draw.ts'
import {
  addSlots,
  changeDraining,
  changeValue,
  removeSlots,
  slotChanges,
} from './element-changes.ts'
import { decodeDrain, encodeDrain, type SlotEndpoint } from './elements.ts'
import { LeftMembers, membersOf } from './left-members.ts'
import {
  activeOf,
  type HeldService,
  type IntactStructure,
  type Member,
  observeLeft,
  observeServices,
} from './observe.ts'
import { observeSelfAddresses, SelfAddresses } from './self-addresses.ts'
import { formOf, renderForm, type ServiceForm } from './service-form.ts'
import { SlotClasses, slotClassOf } from './slot-classes.ts'
import { Turns } from './turns.ts'

/** The operations of one change, and what is true once they are done. */
export interface ElementChange {
  readonly operations: NftOperation[]
  readonly confirm: () => void
}

/** The backends of a service that drain, and what becomes of their connections. */
export interface Drainage {
  readonly draining: readonly SlotEndpoint[]
  readonly drain: Drain
}

/** The backends of a service that the maps hold. */
export interface HeldBackends extends Drainage {
  readonly active: readonly SlotEndpoint[]
}

/** A backend that left, and what its service wants of open connections then. */
export interface Departure {
  readonly member: Member
  readonly drain: Drain
}

/** What became of services since it was asked before. */
export interface Departures {
  /** Those whose flows are to be ended. */
  readonly departures: readonly Departure[]
  /** Services of which it is not known who left. */
  readonly unsure: readonly ServiceKey[]
}

/** The services in the maps of the table. */
export class HeldServices {
  #held = new Map<ServiceKey, HeldService>()
  readonly #classes = new SlotClasses()
  readonly #self = new SelfAddresses()
  readonly #turns = new Turns()
  #departures: Departure[] = []
  #unsure: ServiceKey[] = []
  /** Backends that left, as the kernel remembers them. */
  readonly left: LeftMembers = new LeftMembers()

  /** Renderings of what is held. */
  renderings(): Map<ServiceKey, string> {
    return new Map([...this.#held].map(([key, { rendering }]) => [key, rendering]))
  }

  /** The services that are held. */
  keys(): Iterable<ServiceKey> {
    return this.#held.keys()
  }

  /** The backends of a service; undefined when it is not held. */
  backendsOf(key: ServiceKey): HeldBackends | undefined {
    const held = this.#held.get(key)
    if (held === undefined) return undefined
    return { active: activeOf(held), ...drainageOf(held) }
  }

  /** The draining backends of a service; undefined when it is not held. */
  drainageOf(key: ServiceKey): Drainage | undefined {
    const held = this.#held.get(key)
    return held && drainageOf(held)
  }

  /** Who left by what was confirmed since this was asked before. */
  takeDepartures(): Departures {
    const taken = { departures: this.#departures, unsure: this.#unsure }
    this.#departures = []
    this.#unsure = []
    return taken
  }

  /** Reads the maps. @param structure what of it is intact */
  async observe(nftables: Nftables, structure: IntactStructure): Promise<void> {
    const { classes, sets } = structure
    this.#held = await observeServices(nftables, structure)
    const draws = [...this.#held].flatMap(([key, { draw }]) => (draw ? [{ key, draw }] : []))
    this.#classes.reset(
      classes,
      draws.map(({ key, draw }) => slotClassOf(familyOfKey(key), draw)),
    )
    const counters = draws.map(({ key, draw }) => [key, turnCounterOf(draw.by)] as const)
    this.#turns.reset(counters.flatMap(([key, at]) => (at === undefined ? [] : [[key, at]])))
    const used = [...this.#held.values()].flatMap(({ addresses }) => addresses)
    this.#self.reset(await observeSelfAddresses(nftables, sets), used)
    this.left.reset(await observeLeft(nftables, sets))
  }

  /** What makes the sets beside the maps fit them; for right after an observation. */
  repairs(): NftOperation[] {
    return this.#self.repair()
  }

  /** The rules that services with these backends need; for before they are put. */
  prepare(services: readonly Service[]): NftOperation[] {
    const needed = services.flatMap((service) => {
      const draw = this.#drawOf(serviceKeyOf(service), formOf(service))
      return draw.slots === 0 ? [] : [slotClassOf(familyOf(service.address), draw)]
    })
    return this.#classes.prepare(needed)
  }

  /** Removes what nothing needs any more: rules, and records of backends that left. */
  prune(): NftOperation[] {
    return [...this.#classes.prune(), ...this.left.sweep()]
  }

  /** The change that makes the service exist with its backends. */
  put(key: ServiceKey, service: Service): ElementChange {
    const old = this.#held.get(key)
    const form = formOf(service)
    const held = hold(old, form, this.#drawOf(key, form))
    const { removed, added } = slotChanges(old, held.slots)
    const departed = departures(key, old, held)
    const operations = [
      ...this.#self.change(held.addresses, old?.addresses ?? []),
      ...removeSlots(service, removed),
      ...addSlots(service, added, form.slots),
      ...changeValue('vips', service, [old?.vipValue, held.vipValue]),
      ...changeValue('drains', service, [old?.drainValue, held.drainValue]),
      ...changeDraining(key, old?.draining ?? [], held.draining),
      ...this.left.remove(membersOf(key, [...form.slots, ...form.draining])),
      ...this.left.add(departed.map(({ member }) => member)),
    ]
    const confirm = () => {
      this.#departures.push(...departed)
      if (old === undefined || isDamaged(old.rendering)) this.#unsure.push(key)
      this.#replace(key, held)
    }
    return { operations, confirm }
  }

  /** The change that makes the service not exist. */
  remove(key: ServiceKey): ElementChange {
    const service = parseServiceKey(key)
    const old = this.#held.get(key)
    if (old === undefined) return { operations: [], confirm: () => undefined }
    const departed = departures(key, old, undefined)
    const operations = [
      ...changeValue('vips', service, [old.vipValue, undefined]),
      ...changeValue('drains', service, [old.drainValue, undefined]),
      ...removeSlots(service, old.slotNumbers),
      ...changeDraining(key, old.draining, []),
      ...this.#self.change([], old.addresses),
      ...this.left.add(departed.map(({ member }) => member)),
    ]
    const confirm = () => {
      this.#departures.push(...departed)
      if (isDamaged(old.rendering)) this.#unsure.push(key)
      this.#replace(key, undefined)
    }
    return { operations, confirm }
  }

  /** How the service's slots are to be drawn. */
  #drawOf(key: ServiceKey, { way, slots }: ServiceForm): SlotDraw {
    if (way !== 'turns') return { slots: slots.length, by: way }
    return { slots: slots.length, by: `turns${this.#turns.counterOf(key)}` }
  }

  #replace(key: ServiceKey, held: HeldService | undefined): void {
    const family = familyOfKey(key)
    const before = this.#held.get(key)?.draw
    if (before !== undefined) this.#classes.count(slotClassOf(family, before), -1)
    if (held?.draw !== undefined) this.#classes.count(slotClassOf(family, held.draw), 1)
    if (held?.draw?.by.startsWith('turns') !== true) this.#turns.release(key)
    if (held === undefined) this.#held.delete(key)
    else this.#held.set(key, held)
  }
}

function familyOfKey(key: ServiceKey): Family {
  return familyOf(parseServiceKey(key).address)
}

/** Gives every slot its backend; unchanged ones stay where they are, unless their order counts. */
function hold(old: HeldService | undefined, form: ServiceForm, draw: SlotDraw): HeldService {
  const wanted = form.slots.map(formatEndpoint)
  const slots = form.way === 'client' ? wanted : assignSlots(old?.slots ?? [], wanted)
  return {
    ...{ vipValue: encodeSlotDraw(draw), draw, slots },
    slotNumbers: slots.map((_, slot) => slot),
    addresses: form.slots.map(({ address }) => address),
    draining: form.draining.length === 0 ? NOBODY : form.draining.map(endpointOf),
    drainValue: encodeDrain(form.drain),
    rendering: renderForm(form),
  }
}

const NOBODY: readonly SlotEndpoint[] = []

/** Without what else a backend has. */
function endpointOf({ address, port }: SlotEndpoint): SlotEndpoint {
  return { address, port }
}

function drainageOf({ draining, drainValue }: HeldService): Drainage {
  return { draining, drain: decodeDrain(drainValue) }
}

/** Backends that leave with this change and whose flows are to be ended. */
function departures(
  key: ServiceKey,
  old: HeldService | undefined,
  held: HeldService | undefined,
): Departure[] {
  const isDatagrams = parseServiceKey(key).protocol === 'udp'
  const drainValue = held === undefined ? old?.drainValue : held.drainValue
  if (old === undefined || !(isDatagrams || drainValue !== undefined)) return []
  const stay = new Set([...(held?.slots ?? []), ...(held?.draining ?? []).map(formatEndpoint)])
  const all = [...activeOf(old), ...old.draining]
  const gone = all.filter((backend) => !stay.has(formatEndpoint(backend)))
  return membersOf(key, gone).map((member) => ({ member, drain: decodeDrain(drainValue) }))
}
