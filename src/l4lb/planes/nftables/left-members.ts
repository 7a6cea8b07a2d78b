/**
 * The sets `left4` and `left6`: backends that left and whose flows are still to be ended, so that the
 * next daemon ends them should this one die. What is done is taken out with a later change.
 */
import type { NftOperation } from '../../../kernel/nftables.ts'
import { type Family, familyOf } from '../../../model/ip.ts'
import { formatEndpoint, parseServiceKey, type ServiceKey } from '../../../model/vip.ts'
import { addElements, deleteElements } from './element-operations.ts'
import { encodeMemberKey, pack, type SlotEndpoint } from './elements.ts'
import type { Member } from './observe.ts'

/** The backends in the sets. */
export class LeftMembers {
  readonly #held = new Map<string, Member>()
  readonly #done = new Set<string>()

  /** Starts from what the sets hold. */
  reset(held: Iterable<Member>): void {
    this.#held.clear()
    this.#done.clear()
    for (const member of held) this.#held.set(textOf(member), member)
  }

  /** Those whose flows are to be ended. */
  open(): Member[] {
    return [...this.#held].flatMap(([text, member]) => (this.#done.has(text) ? [] : [member]))
  }

  /** They leave. @returns what records it */
  add(members: readonly Member[]): NftOperation[] {
    const added = members.filter((member) => !this.#held.has(textOf(member)))
    for (const member of members) {
      this.#held.set(textOf(member), member)
      this.#done.delete(textOf(member))
    }
    return memberOperations('left', added, (set, keys) => addElements(set, { keys }))
  }

  /** They are backends again, or nothing is to be ended any more. @returns what makes that so */
  remove(members: readonly Member[]): NftOperation[] {
    if (this.#held.size === 0) return []
    const removed = members.filter((member) => this.#held.delete(textOf(member)))
    for (const member of removed) this.#done.delete(textOf(member))
    return memberOperations('left', removed, deleteElements)
  }

  /** Their flows are ended. */
  finish(members: readonly Member[]): void {
    for (const member of members) {
      if (this.#held.has(textOf(member))) this.#done.add(textOf(member))
    }
  }

  /** Takes out what is done. */
  sweep(): NftOperation[] {
    return this.remove([...this.#done].flatMap((text) => this.#held.get(text) ?? []))
  }
}

/** A backend of a service as text, the same for the same ones. */
export function textOf({ key, backend }: Member): string {
  return `${key} ${formatEndpoint(backend)}`
}

/** These backends as members of the service. */
export function membersOf(key: ServiceKey, backends: readonly SlotEndpoint[]): Member[] {
  return backends.map((backend) => ({ key, backend }))
}

/** An operation per family on sets of members, e.g. `draining4` and `draining6`. */
export function memberOperations(
  kind: 'draining' | 'left',
  members: readonly Member[],
  operation: (set: string, keys: Uint8Array) => NftOperation,
): NftOperation[] {
  const services = members.map(({ key, backend }) => ({ service: parseServiceKey(key), backend }))
  return ([4, 6] as const).flatMap((family: Family) => {
    const own = services.filter(({ service }) => familyOf(service.address) === family)
    const keys = own.map(({ service, backend }) => encodeMemberKey(service, backend))
    return keys.length === 0 ? [] : [operation(`${kind}${family}`, pack(keys))]
  })
}
