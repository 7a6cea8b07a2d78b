import type { Ip } from '../model/ip.ts'
import type { Member } from '../model/member.ts'
import type { NodeId } from '../model/node-id.ts'

const NONE: ReadonlySet<NodeId> = new Set()

/** Which members gossip at an address: one per host, but for tests and hosts that were set up anew. */
export class MembersByAddress {
  readonly #nodes = new Map<Ip, Set<NodeId>>()
  readonly #addresses = new Map<NodeId, Ip>()

  /** Members changed; undefined: forgotten. */
  note(changes: Iterable<readonly [NodeId, Member | undefined]>): void {
    for (const [node, member] of changes) {
      this.#remove(node)
      if (member !== undefined) this.#add(node, member.endpoint.address)
    }
  }

  at(address: Ip): ReadonlySet<NodeId> {
    return this.#nodes.get(address) ?? NONE
  }

  #add(node: NodeId, address: Ip): void {
    this.#addresses.set(node, address)
    this.#nodes.set(address, (this.#nodes.get(address) ?? new Set()).add(node))
  }

  #remove(node: NodeId): void {
    const address = this.#addresses.get(node)
    if (address === undefined) return
    this.#addresses.delete(node)
    const nodes = this.#nodes.get(address)
    nodes?.delete(node)
    if (nodes?.size === 0) this.#nodes.delete(address)
  }
}
