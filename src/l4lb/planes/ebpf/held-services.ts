/**
 * Services in BPF maps. `vips` names a set of slots; `slots` holds the endpoints of a set;
 * `members` all backends of a VIP with their weights, draining ones included.
 *
 * A service changes by a new set: its slots are written first, then the VIP's entry is swapped
 * in one atomic update, then the old set goes. A program that meets a missing slot reads the VIP
 * again, so no connection ever fails for a change.
 */
import type { BpfMap } from '../../../kernel/bpf.ts'
import { type Backend, parseServiceKey, type ServiceKey } from '../../../model/vip.ts'
import type { PlaneOperation } from '../../plane.ts'
import { slotsOf } from '../../slots.ts'
import { renderBackends } from '../render.ts'
import { EntryBatch } from './entry-batch.ts'
import {
  encodeEndpoint,
  encodeMemberKey,
  encodeSlotKey,
  encodeVipKey,
  encodeVipValue,
  encodeWeight,
} from './layout.ts'
import { type HeldService, observeServices, type ServiceDump } from './observe.ts'

/** The three maps of the services. */
export interface ServiceMaps {
  readonly vips: BpfMap
  readonly slots: BpfMap
  readonly members: BpfMap
}

/** The services in the maps: what was read last plus our confirmed writes. */
export class HeldServices {
  readonly #maps: ServiceMaps
  #held = new Map<ServiceKey, HeldService>()
  #orphans: ServiceDump['orphans'] = { slotKeys: [], memberKeys: [] }
  #sets = new Set<number>()
  #lastSet = 0

  constructor(maps: ServiceMaps) {
    this.#maps = maps
  }

  /** Entries that belong to no VIP, left by a daemon that died between two writes. */
  get orphanCount(): number {
    return this.#orphans.slotKeys.length + this.#orphans.memberKeys.length
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

  /** Deletes entries without a VIP. @returns errnos other than 0 */
  async sweep(): Promise<readonly number[]> {
    const failures = new Map<number, number>()
    const [slots, members] = [new EntryBatch(), new EntryBatch()]
    this.#orphans.slotKeys.forEach((key, index) => void slots.drop(index, key))
    this.#orphans.memberKeys.forEach((key, index) => void members.drop(-1 - index, key))
    await slots.delete(this.#maps.slots, failures)
    await members.delete(this.#maps.members, failures)
    this.#orphans = { slotKeys: [], memberKeys: [] }
    return [...failures.values()]
  }

  /** Puts and removes services. @returns an errno per failed operation, by its index */
  async apply(operations: readonly PlaneOperation[]): Promise<ReadonlyMap<number, number>> {
    const failures = new Map<number, number>()
    const batch = {
      newSlots: new EntryBatch(),
      newMembers: new EntryBatch(),
      vips: new EntryBatch(),
      oldVips: new EntryBatch(),
      oldSlots: new EntryBatch(),
      oldMembers: new EntryBatch(),
    }
    const after = new Map<number, () => void>()
    operations.forEach((operation, index) => {
      if (operation.kind === 'put') after.set(index, this.#put(batch, index, operation))
      if (operation.kind === 'remove') after.set(index, this.#remove(batch, index, operation.key))
    })
    await batch.newSlots.write(this.#maps.slots, failures)
    await batch.newMembers.write(this.#maps.members, failures)
    await batch.vips.write(this.#maps.vips, failures)
    await batch.oldVips.delete(this.#maps.vips, failures)
    await batch.oldSlots.delete(this.#maps.slots, failures)
    await batch.oldMembers.delete(this.#maps.members, failures)
    for (const [index, confirm] of after) if (!failures.has(index)) confirm()
    return failures
  }

  #put(batch: ServiceBatch, index: number, { key, service }: PutOperation): () => void {
    const old = this.#held.get(key)
    const vipKey = encodeVipKey(service)
    const slots = slotsOf(service.backends)
    const set = this.#nextSet()
    slots.forEach((backend, slot) => {
      batch.newSlots.put(index, encodeSlotKey(set, slot), encodeEndpoint(backend))
    })
    for (const backend of service.backends) {
      batch.newMembers.put(index, encodeMemberKey(vipKey, backend), encodeWeight(backend.weight))
    }
    batch.vips.put(index, vipKey, encodeVipValue({ set, slots: slots.length }))
    this.#dropOld(batch, index, { old, vipKey, kept: service.backends })
    return () => {
      if (old !== undefined) this.#sets.delete(old.set)
      this.#held.set(key, {
        set,
        slots: slots.length,
        backends: service.backends,
        rendering: renderBackends(service.backends),
      })
    }
  }

  #remove(batch: ServiceBatch, index: number, key: ServiceKey): () => void {
    const old = this.#held.get(key)
    const vipKey = encodeVipKey(parseServiceKey(key))
    batch.oldVips.drop(index, vipKey)
    this.#dropOld(batch, index, { old, vipKey, kept: [] })
    return () => {
      if (old !== undefined) this.#sets.delete(old.set)
      this.#held.delete(key)
    }
  }

  #dropOld(batch: ServiceBatch, index: number, { old, vipKey, kept }: Replaced): void {
    if (old === undefined) return
    for (let slot = 0; slot < old.slots; slot++) {
      batch.oldSlots.drop(index, encodeSlotKey(old.set, slot))
    }
    const keptText = new Set(kept.map((backend) => `${backend.address} ${backend.port}`))
    for (const backend of old.backends) {
      if (keptText.has(`${backend.address} ${backend.port}`)) continue
      batch.oldMembers.drop(index, encodeMemberKey(vipKey, backend))
    }
  }

  /** A set number that no VIP uses; numbers come round only after 2^32 changes. */
  #nextSet(): number {
    do this.#lastSet = (this.#lastSet + 1) >>> 0
    while (this.#sets.has(this.#lastSet))
    this.#sets.add(this.#lastSet)
    return this.#lastSet
  }
}

type PutOperation = Extract<PlaneOperation, { kind: 'put' }>

interface ServiceBatch {
  readonly newSlots: EntryBatch
  readonly newMembers: EntryBatch
  readonly vips: EntryBatch
  readonly oldSlots: EntryBatch
  readonly oldVips: EntryBatch
  readonly oldMembers: EntryBatch
}

interface Replaced {
  readonly old: HeldService | undefined
  readonly vipKey: Uint8Array
  readonly kept: readonly Backend[]
}
