/** Operations on the elements of one service. */
import type { NftOperation } from '../../../kernel/nftables.ts'
import { familyOf } from '../../../model/ip.ts'
import { formatEndpoint, type Service, type ServiceKey } from '../../../model/vip.ts'
import { addElements, deleteElements } from './element-operations.ts'
import {
  encodeEndpoint,
  encodeNumber,
  encodeSlotKey,
  encodeVipKey,
  pack,
  type SlotEndpoint,
} from './elements.ts'
import { memberOperations, membersOf } from './left-members.ts'
import type { HeldService } from './observe.ts'

/** Slots of a service that change. */
export interface SlotChanges {
  readonly removed: readonly number[]
  readonly added: { readonly slot: number; readonly endpoint: string }[]
}

/** The slots that go and come; unchanged ones stay. */
export function slotChanges(old: HeldService | undefined, slots: readonly string[]): SlotChanges {
  const held = old?.slots ?? []
  const isWanted = (slot: number): boolean => slot < slots.length && held[slot] === slots[slot]
  const removed = (old?.slotNumbers ?? []).filter((slot) => !isWanted(slot))
  const added = slots
    .map((endpoint, slot) => ({ slot, endpoint }))
    .filter(({ slot, endpoint }) => held[slot] !== endpoint)
  return { removed, added }
}

type ServiceEndpoint = Pick<Service, 'address' | 'port' | 'protocol'>

/** Removes slots of a service. */
export function removeSlots(service: ServiceEndpoint, slots: readonly number[]): NftOperation[] {
  if (slots.length === 0) return []
  const keys = pack(slots.map((slot) => encodeSlotKey(service, slot)))
  return [deleteElements(`slots${familyOf(service.address)}`, keys)]
}

/** Adds slots of a service. @param backends each that has a slot */
export function addSlots(
  service: ServiceEndpoint,
  added: SlotChanges['added'],
  backends: readonly SlotEndpoint[],
): NftOperation[] {
  if (added.length === 0) return []
  const encoded = new Map(backends.map((each) => [formatEndpoint(each), encodeEndpoint(each)]))
  const keys = pack(added.map(({ slot }) => encodeSlotKey(service, slot)))
  const values = pack(added.flatMap(({ endpoint }) => encoded.get(endpoint) ?? []))
  return [addElements(`slots${familyOf(service.address)}`, { keys, values })]
}

/** Changes the value of a VIP, from and to; undefined: it has none. */
export function changeValue(
  map: 'vips' | 'drains',
  service: ServiceEndpoint,
  [before, after]: readonly [number | undefined, number | undefined],
): NftOperation[] {
  if (before === after) return []
  const set = `${map}${familyOf(service.address)}`
  const keys = encodeVipKey(service)
  const added = after === undefined ? [] : [addElements(set, { keys, values: encodeNumber(after) })]
  return before === undefined ? added : [deleteElements(set, keys), ...added]
}

/** Changes the backends of a service that drain. */
export function changeDraining(
  key: ServiceKey,
  before: readonly SlotEndpoint[],
  after: readonly SlotEndpoint[],
): NftOperation[] {
  if (before.length === 0 && after.length === 0) return []
  const [held, wanted] = [new Set(before.map(formatEndpoint)), new Set(after.map(formatEndpoint))]
  const stale = before.filter((backend) => !wanted.has(formatEndpoint(backend)))
  const missing = after.filter((backend) => !held.has(formatEndpoint(backend)))
  return [
    ...memberOperations('draining', membersOf(key, stale), deleteElements),
    ...memberOperations('draining', membersOf(key, missing), (set, keys) =>
      addElements(set, { keys }),
    ),
  ]
}
