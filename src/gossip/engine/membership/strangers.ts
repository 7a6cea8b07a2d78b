/**
 * Forgotten nodes that speak up. Each is told that it was doubted, so that it raises its incarnation
 * and can be believed again. After a long cut both sides have forgotten each other: what a forgotten
 * node says of this one must count although it is no member.
 */
import type { NodeId } from '../../../model/node-id.ts'
import type { Ground } from '../ground.ts'
import type { Accusation, Announcement } from '../statements.ts'

interface Stranger {
  readonly announcement: Announcement
  readonly toldMs: number
}

/** Not told again before: two that forgot each other would answer each other's answers. */
const TELL_AGAIN_MS = 1000
const MAX_STRANGERS = 256

/** The forgotten nodes that were heard lately. */
export class Strangers {
  readonly #ground: Ground
  readonly #strangers = new Map<NodeId, Stranger>()

  constructor(ground: Ground) {
    this.#ground = ground
  }

  publicKeyOf(node: NodeId): Uint8Array | undefined {
    return this.#strangers.get(node)?.announcement.publicKey
  }

  /** A forgotten node announced itself, in the incarnation in which it was forgotten. */
  tell(announcement: Announcement): void {
    const { membership, notary, outbox, self, turn } = this.#ground
    const { node, endpoint, incarnation } = announcement
    const own = membership.announcementOf(self)
    const toldMs = this.#strangers.get(node)?.toldMs ?? Number.NEGATIVE_INFINITY
    if (own === undefined || turn.nowMs - toldMs < TELL_AGAIN_MS) return
    this.#strangers.delete(node)
    this.#strangers.set(node, { announcement, toldMs: turn.nowMs })
    const [oldest] = this.#strangers.keys()
    if (this.#strangers.size > MAX_STRANGERS && oldest !== undefined) {
      this.#strangers.delete(oldest)
    }
    const doubt = { kind: 'accusation', subject: node, incarnation, accuser: self } as const
    outbox.urgent({ node, endpoint }, own, notary.sign<Accusation>(doubt))
  }

  /** This node raised its incarnation because a node doubted it; should that be a stranger, it hears. */
  answer(node: NodeId): void {
    const { membership, outbox, self } = this.#ground
    const endpoint = this.#strangers.get(node)?.announcement.endpoint
    const own = membership.announcementOf(self)
    if (endpoint !== undefined && own !== undefined) outbox.urgent({ node, endpoint }, own)
  }
}
