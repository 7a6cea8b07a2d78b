/**
 * Services in BPF maps. `vips` names a set of slots; `slots` holds the endpoints of a set;
 * `members` all backends of a VIP with their weights, draining ones included.
 *
 * A service changes by a new set: its slots are written first, then the VIP's entry is swapped
 * in one atomic update, then the old set goes. A program that meets a missing slot reads the VIP
 * again, so no connection ever fails for a change.
 */
import {
  type Backend,
  formatEndpoint,
  parseServiceKey,
  type ServiceKey,
} from '../../../model/vip.ts'
import type { Drain } from '../../../model/vip-options.ts'
import type { PlaneOperation } from '../../plane.ts'
import { EntryBatch } from './entry-batch.ts'
import {
  decodeSlotKey,
  encodeEndpoint,
  encodeMemberKey,
  encodeSlotKey,
  encodeVipKey,
  encodeVipValue,
  encodeWeight,
} from './layout.ts'
import type { Leaver } from './leaving.ts'
import { type HeldService, type Orphans, observeServices, type ServiceMaps } from './observe.ts'
import { choosingOf, type EbpfAbilities, renderChoosing, slotSetOf } from './slot-set.ts'

/** The services in the maps: what was read last plus our confirmed writes. */
export class HeldServices {
  readonly #maps: ServiceMaps
  readonly #abilities: EbpfAbilities
  readonly #departures: Departure[] = []
  #held = new Map<ServiceKey, HeldService>()
  #orphans: Orphans = NO_ORPHANS
  #sets = new Set<number>()
  #lastSet = 0

  constructor(maps: ServiceMaps, abilities: EbpfAbilities) {
    this.#maps = maps
    this.#abilities = abilities
  }

  /** Backends that this node used and that went since the last call. */
  takeDepartures(): readonly Departure[] {
    return this.#departures.splice(0)
  }

  /** Backends of all services, with what becomes of their connections. */
  *backends(): Generator<WeighedDeparture> {
    for (const key of this.#held.keys()) yield* this.backendsOf(key)
  }

  /** Backends of one service. */
  *backendsOf(key: ServiceKey): Generator<WeighedDeparture> {
    const { backends = [], drain = 'graceful' } = this.#held.get(key) ?? {}
    for (const backend of backends) yield { key, backend, drain, weight: backend.weight }
  }

  /** Whether the maps hold this backend of this service. */
  has(key: ServiceKey, { address, port }: Pick<Backend, 'address' | 'port'>): boolean {
    const backends = this.#held.get(key)?.backends ?? []
    return backends.some((backend) => backend.port === port && backend.address === address)
  }

  /** Entries that belong to no VIP, left by a daemon that died between two writes. */
  get orphanCount(): number {
    return Object.values(this.#orphans).reduce((sum, keys) => sum + keys.length, 0)
  }

  /** Renderings of what is held. */
  renderings(): Map<ServiceKey, string> {
    return new Map([...this.#held].map(([key, { rendering }]) => [key, rendering]))
  }

  /** Reads the maps. */
  async observe(): Promise<void> {
    const { held, orphans, sets } = await observeServices(this.#maps)
    this.#held = held
    this.#orphans = orphans
    this.#sets = sets
    for (const set of sets) this.#lastSet = Math.max(this.#lastSet, set)
  }

  /**
   * Deletes entries without a VIP; for before services are put, which may have their keys. Slots
   * that several VIPs share are left until none is in use. @returns errnos other than 0
   */
  async sweep(): Promise<readonly number[]> {
    const failures = new Map<number, number>()
    const sets = new Set([...this.#held.values()].map(({ set }) => set))
    const isShared = (key: Uint8Array): boolean => sets.has(decodeSlotKey(key, 0).set)
    const { slotKeys, memberKeys, measureKeys, cursorKeys } = this.#orphans
    const unshared = slotKeys.filter((key) => !isShared(key))
    const parts = [
      [this.#maps.slots, unshared],
      [this.#maps.members, memberKeys],
      [this.#maps.measures, [...memberKeys, ...measureKeys]],
      [this.#maps.cursors, cursorKeys],
    ] as const
    let index = 0
    for (const [map, keys] of parts) {
      const batch = new EntryBatch()
      for (const key of keys) batch.drop(index++, key)
      await batch.delete(map, failures)
    }
    this.#orphans = { ...NO_ORPHANS, slotKeys: slotKeys.filter(isShared) }
    return [...failures.values()]
  }

  /**
   * Puts and removes services. Where they do not fit together they are tried one by one, so that
   * one that is too large takes no room from the others.
   *
   * @returns an errno per failed operation, by its index
   */
  async apply(operations: readonly PlaneOperation[]): Promise<ReadonlyMap<number, number>> {
    const failures = await this.#applyTogether([...operations.entries()])
    if (operations.length < 2) return failures
    for (const [index, operation] of operations.entries()) {
      if (failures.get(index) !== E2BIG) continue
      const errno = (await this.#applyTogether([[index, operation]])).get(index)
      if (errno === undefined) failures.delete(index)
      else failures.set(index, errno)
    }
    return failures
  }

  async #applyTogether(
    operations: readonly (readonly [index: number, PlaneOperation])[],
  ): Promise<Map<number, number>> {
    const failures = new Map<number, number>()
    const batch: ServiceBatch = {
      newSlots: new EntryBatch(),
      newMembers: new EntryBatch(),
      keptMembers: new EntryBatch(),
      vips: new EntryBatch(),
      oldVips: new EntryBatch(),
      oldSlots: new EntryBatch(),
      oldMembers: new EntryBatch(),
      departures: [],
    }
    const after = new Map<number, () => void>()
    for (const [index, operation] of operations) {
      if (operation.kind === 'put') after.set(index, this.#put(batch, index, operation))
      if (operation.kind === 'remove') after.set(index, this.#remove(batch, index, operation.key))
    }
    await batch.newSlots.write(this.#maps.slots, failures)
    await batch.newMembers.write(this.#maps.members, failures)
    await batch.keptMembers.write(this.#maps.members, failures)
    await batch.vips.write(this.#maps.vips, failures)
    await batch.newSlots.revert(this.#maps.slots, failures)
    await batch.newMembers.revert(this.#maps.members, failures)
    await batch.oldVips.delete(this.#maps.vips, failures)
    await batch.oldSlots.delete(this.#maps.slots, failures)
    await batch.oldMembers.delete(this.#maps.members, failures)
    // What the programs made for a VIP or a member goes after it: see measure.h.
    await this.#forgetMeasures(batch.departures, failures)
    await batch.oldVips.delete(this.#maps.cursors, failures)
    for (const [index, confirm] of after) if (!failures.has(index)) confirm()
    return failures
  }

  #put(batch: ServiceBatch, index: number, { key, service }: PutOperation): () => void {
    const old = this.#held.get(key)
    const vipKey = encodeVipKey(service)
    const choosing = choosingOf(service, this.#abilities)
    const { slots, value } = slotSetOf(service.backends, choosing)
    const set = this.#nextSet()
    slots.forEach((backend, slot) => {
      batch.newSlots.put(index, encodeSlotKey(set, slot), encodeEndpoint(backend))
    })
    const before = new Set(old?.backends.map(formatEndpoint))
    for (const backend of service.backends) {
      const members = before.has(formatEndpoint(backend)) ? batch.keptMembers : batch.newMembers
      members.put(index, encodeMemberKey(vipKey, backend), encodeWeight(backend.weight))
    }
    batch.vips.put(index, vipKey, encodeVipValue({ ...value, set }))
    this.#dropOld(batch, index, { key, old, vipKey, kept: service.backends, drain: choosing.drain })
    return () => {
      if (old !== undefined) this.#sets.delete(old.set)
      this.#held.set(key, {
        set,
        slotNumbers: slots.map((_, slot) => slot),
        backends: service.backends,
        drain: choosing.drain,
        rendering: renderChoosing(service.backends, choosing),
      })
    }
  }

  #remove(batch: ServiceBatch, index: number, key: ServiceKey): () => void {
    const old = this.#held.get(key)
    const vipKey = encodeVipKey(parseServiceKey(key))
    batch.oldVips.drop(index, vipKey)
    this.#dropOld(batch, index, { key, old, vipKey, kept: [], drain: old?.drain ?? 'graceful' })
    return () => {
      if (old !== undefined) this.#sets.delete(old.set)
      this.#held.delete(key)
    }
  }

  #dropOld(batch: ServiceBatch, index: number, replaced: Replaced): void {
    const { key, old, vipKey, kept, drain } = replaced
    if (old === undefined) return
    for (const slot of old.slotNumbers) {
      batch.oldSlots.drop(index, encodeSlotKey(old.set, slot))
    }
    const keptText = new Set(kept.map(formatEndpoint))
    for (const backend of old.backends) {
      if (keptText.has(formatEndpoint(backend))) continue
      const memberKey = encodeMemberKey(vipKey, backend)
      batch.oldMembers.drop(index, memberKey)
      batch.departures.push({ operation: index, memberKey, key, backend, drain })
    }
  }

  /** Those that had a measure were used by this node: sockets of theirs may be open. */
  async #forgetMeasures(
    departures: readonly BatchedDeparture[],
    failures: ReadonlyMap<number, number>,
  ): Promise<void> {
    const gone = departures.filter(({ operation }) => !failures.has(operation))
    if (gone.length === 0) return
    const keys = Buffer.concat(gone.map(({ memberKey }) => memberKey))
    const errnos = await this.#maps.measures.delete(keys)
    this.#departures.push(...gone.filter((_, index) => (errnos[index] ?? 0) === 0))
  }

  /** A set number that no VIP uses; numbers come round only after 2^32 changes. */
  #nextSet(): number {
    do this.#lastSet = (this.#lastSet + 1) >>> 0
    while (this.#sets.has(this.#lastSet))
    this.#sets.add(this.#lastSet)
    return this.#lastSet
  }
}

const E2BIG = 7

const NO_ORPHANS: Orphans = { slotKeys: [], memberKeys: [], measureKeys: [], cursorKeys: [] }

type PutOperation = Extract<PlaneOperation, { kind: 'put' }>

interface ServiceBatch {
  readonly newSlots: EntryBatch
  readonly newMembers: EntryBatch
  readonly keptMembers: EntryBatch
  readonly vips: EntryBatch
  readonly oldSlots: EntryBatch
  readonly oldVips: EntryBatch
  readonly oldMembers: EntryBatch
  readonly departures: BatchedDeparture[]
}

/** A backend, and what becomes of its connections. */
export interface Departure extends Leaver {
  readonly drain: Drain
}

/** The same with its share. */
export interface WeighedDeparture extends Departure {
  readonly weight: number
}

interface BatchedDeparture extends Departure {
  /** The index of the operation that removes it. */
  readonly operation: number
  readonly memberKey: Uint8Array
}

interface Replaced {
  readonly key: ServiceKey
  readonly drain: Drain
  readonly old: HeldService | undefined
  readonly vipKey: Uint8Array
  readonly kept: readonly Backend[]
}
