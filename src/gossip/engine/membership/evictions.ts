/**
 * Evictions: an operator, or Mesos, knows of a member that does not come back. They end the waiting
 * for the dead; who is dead each node goes on to find out by itself.
 */
import type { NodeId } from '../../../model/node-id.ts'
import { destinationOf, type Ground } from '../ground.ts'
import type { Eviction } from '../statements.ts'

/** What {@link Evictions} works with. */
export interface EvictionsParts {
  readonly flood: (statement: Eviction, source?: NodeId) => void
  /** Somebody evicts this node, which lives. */
  readonly refute: (incarnation: number, issuer: NodeId) => void
  /** Asks a peer for statements about nodes. */
  readonly want: (peer: NodeId, node: NodeId) => void
  readonly forget: (node: NodeId) => void
  /** Finds out now whether a node lives. */
  readonly probe: (node: NodeId) => void
}

/** An eviction that was believed: it waits for the death of a member, or made it be forgotten. */
interface Held {
  readonly incarnation: number
  readonly sinceMs: number
  /** When it was last passed on to its subject. */
  toldMs: number
  /** The one that this node answers with. */
  answer?: Eviction
}

/** From one time that a living subject is told by this node to the next. */
const TELL_AGAIN_MS = 1000

/** The evictions that one node knows of. */
export class Evictions {
  readonly #ground: Ground
  readonly #parts: EvictionsParts
  /** One per subject: of members, and of nodes that are remembered as forgotten. */
  readonly #held = new Map<NodeId, Held>()

  constructor(ground: Ground, parts: EvictionsParts) {
    this.#ground = ground
    this.#parts = parts
  }

  /** Whether a member is to be forgotten as soon as it is dead or left. */
  isEvicted(node: NodeId): boolean {
    const incarnation = this.#ground.membership.announcementOf(node)?.incarnation
    return incarnation !== undefined && this.#covering(node, incarnation) !== undefined
  }

  /** Evicts a member that is not alive; for one that is evicted already, tells the others again. */
  issue(node: NodeId): void {
    const { membership, self } = this.#ground
    const incarnation = membership.announcementOf(node)?.incarnation
    if (incarnation === undefined || node === self || membership.stateOf(node) === 'alive') return
    const eviction = this.#sign(node, incarnation)
    if (this.isEvicted(node)) this.#parts.flood(eviction)
    else this.onEviction(self, eviction)
  }

  onEviction(from: NodeId, eviction: Eviction): void {
    const { membership, self, turn } = this.#ground
    const { subject, incarnation, issuer } = eviction
    if (subject === self) {
      this.#onOwn(from, eviction)
      return
    }
    const known = membership.announcementOf(subject)
    if (known === undefined || incarnation < known.incarnation) return
    const held = this.#covering(subject, incarnation)
    if (held !== undefined) {
      this.#passOn(held, eviction)
      return
    }
    if (!this.#isSigned(from, eviction)) return
    const state = membership.stateOf(subject)
    const isPending = state === 'alive' || state === 'doubted'
    this.#held.set(subject, { incarnation, sinceMs: turn.nowMs, toldMs: turn.nowMs })
    this.#parts.flood(eviction, from)
    turn.emit({ kind: 'evicted', node: subject, issuer, isPending })
    if (isPending) turn.touch(subject)
    else this.#parts.forget(subject)
  }

  /**
   * A peer still knows a node that was evicted and forgotten here: it hears of that.
   *
   * @param incarnation in which the peer knows it
   * @returns whether that is so
   */
  answer(peer: NodeId, node: NodeId, incarnation: number): boolean {
    const { membership, outbox } = this.#ground
    const held = this.#held.get(node)
    const forgotten = membership.forgottenIncarnationOf(node)
    if (held === undefined || forgotten === undefined) return false
    if (incarnation > forgotten || held.incarnation < forgotten) return false
    // in this node's name: the peer knows it, but perhaps not who issued the first one
    if (held.answer?.incarnation !== forgotten) held.answer = this.#sign(node, forgotten)
    const to = destinationOf(this.#ground, peer)
    if (to !== undefined) outbox.patient(to, held.answer)
    return true
  }

  /** Lets go of those that waited for too long, or whose node is not even remembered. */
  expire(): void {
    const { membership } = this.#ground
    for (const [node, { incarnation }] of this.#held) {
      const isMember = membership.announcementOf(node) !== undefined
      const isOfUse = isMember
        ? this.#covering(node, incarnation) !== undefined
        : membership.forgottenIncarnationOf(node) !== undefined
      if (!isOfUse) this.#held.delete(node)
    }
  }

  /** What is held against a member in this incarnation. */
  #covering(node: NodeId, incarnation: number): Held | undefined {
    const { turn, settings } = this.#ground
    const held = this.#held.get(node)
    if (held === undefined || held.incarnation < incarnation) return undefined
    return turn.nowMs - held.sinceMs < settings.retentionMs ? held : undefined
  }

  /** Somebody has forgotten a node that is not dead here: if it lives it must speak up, if not this node must see it. */
  #passOn(held: Held, eviction: Eviction): void {
    const { turn, outbox } = this.#ground
    const to = destinationOf(this.#ground, eviction.subject)
    if (to === undefined || turn.nowMs - held.toldMs < TELL_AGAIN_MS) return
    held.toldMs = turn.nowMs
    this.#parts.probe(eviction.subject)
    outbox.patient(to, eviction)
  }

  #onOwn(from: NodeId, eviction: Eviction): void {
    const { membership, self } = this.#ground
    const own = membership.announcementOf(self)
    const { incarnation, issuer } = eviction
    if (own === undefined || own.isLeaving || incarnation < own.incarnation) return
    // only this node's own signature proves that it ever had a higher incarnation
    if (incarnation > own.incarnation) this.#parts.want(from, self)
    else if (this.#isSigned(from, eviction)) this.#parts.refute(incarnation, issuer)
  }

  #isSigned(from: NodeId, eviction: Eviction): boolean {
    const { membership, notary, turn } = this.#ground
    const { issuer } = eviction
    const publicKey = membership.announcementOf(issuer)?.publicKey
    if (publicKey === undefined) {
      this.#parts.want(from, issuer)
      return false
    }
    if (notary.isValid(eviction, publicKey)) return true
    turn.emit({ kind: 'rejected', from, reason: 'bad-signature', message: 'eviction' })
    return false
  }

  #sign(subject: NodeId, incarnation: number): Eviction {
    const { notary, self } = this.#ground
    return notary.sign<Eviction>({ kind: 'eviction', subject, incarnation, issuer: self })
  }
}
