/** Asking for statements about members, and answering that. */
import type { NodeId } from '../../../model/node-id.ts'
import { destinationOf, type Ground } from '../ground.ts'
import type { Message, WantMembers } from '../messages.ts'

/** So many nodes' statements go in datagrams; more go over the stream. */
const MAX_IN_DATAGRAMS = 4

/** Requests for statements. */
export class MemberRequests {
  readonly #ground: Ground

  constructor(ground: Ground) {
    this.#ground = ground
  }

  /** Asks a peer for what it knows of nodes. */
  want(peer: NodeId, nodes: readonly NodeId[]): void {
    const to = destinationOf(this.#ground, peer)
    if (to !== undefined && peer !== this.#ground.self) {
      this.#ground.outbox.urgent(to, { kind: 'want-members', nodes })
    }
  }

  /** @param reply where the asking node is, should it be a stranger */
  onWant(
    from: NodeId,
    { nodes }: WantMembers,
    reply: Parameters<Ground['outbox']['urgent']>[0],
  ): void {
    const { outbox, membership } = this.#ground
    const to = destinationOf(this.#ground, from) ?? reply
    const messages: readonly Message[] = nodes.flatMap((node) => {
      const announcement = membership.announcementOf(node)
      if (announcement === undefined) return []
      return [announcement, ...(membership.suspicionOf(node)?.accusations ?? [])]
    })
    if (messages.length === 0) return
    if (nodes.length > MAX_IN_DATAGRAMS) outbox.bulk(to, ...messages)
    else outbox.urgent(to, ...messages)
  }
}
