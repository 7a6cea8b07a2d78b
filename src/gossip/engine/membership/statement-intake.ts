/** Believes or refuses what is said about members, and acts on it. */
import type { MemberState } from '../../../model/member.ts'
import type { NodeId } from '../../../model/node-id.ts'
import type { Ground } from '../ground.ts'
import type { Accusation, Announcement } from '../statements.ts'
import type { Timer } from '../timers.ts'
import { Strangers } from './strangers.ts'
import { suspicionMs } from './suspicion.ts'

/** What {@link StatementIntake} works with. */
export interface StatementIntakeParts {
  readonly flood: (statement: Announcement | Accusation, source?: NodeId) => void
  /** Somebody doubts this node, or its identity was seen with a higher incarnation. */
  readonly refute: (incarnation: number, accuser: NodeId) => void
  /** Asks a peer for statements about nodes. */
  readonly want: (peer: NodeId, node: NodeId) => void
  /** A dead node itself says that it is alive: perhaps a whole side of a cut is back. */
  readonly onBack: (node: NodeId) => void
  readonly forget: (node: NodeId) => void
  /** Whether a node is not to be waited for once it is dead or left. */
  readonly isEvicted: (node: NodeId) => boolean
  /** A peer announced a node that was forgotten here. */
  readonly onForgotten: (peer: NodeId, announcement: Announcement) => void
}

/** Takes in announcements and accusations. */
export class StatementIntake {
  readonly #ground: Ground
  readonly #parts: StatementIntakeParts
  /** Until a doubted node is declared dead, or a dead or departed one is forgotten. */
  readonly #timers = new Map<NodeId, Timer>()
  readonly #strangers: Strangers

  constructor(ground: Ground, parts: StatementIntakeParts) {
    this.#ground = ground
    this.#strangers = new Strangers(ground)
    this.#parts = parts
  }

  onAnnouncement(from: NodeId, announcement: Announcement): void {
    const { membership, notary, turn, self } = this.#ground
    const { node } = announcement
    if (node === self) {
      this.#onOwn(announcement)
      return
    }
    const verdict = membership.verdictOnAnnouncement(announcement)
    if (verdict === 'known') return
    if (!notary.isValid(announcement, announcement.publicKey)) {
      turn.emit({ kind: 'rejected', from, reason: 'bad-signature', message: 'announcement' })
      return
    }
    if (verdict === 'forgotten-node') {
      turn.emit({ kind: 'rejected', from, reason: 'forgotten-node', message: 'announcement' })
      if (from !== node) this.#parts.onForgotten(from, announcement)
      // who left does not want to be told how to return
      else if (!announcement.isLeaving) this.#strangers.tell(announcement)
      return
    }
    const before = membership.stateOf(node)
    membership.announce(announcement)
    this.#timers.get(node)?.cancel()
    this.#timers.delete(node)
    // what this node remembers from an earlier life is no news to anybody
    if (from !== self) this.#parts.flood(announcement, from)
    this.#report(node, before, from)
  }

  onAccusation(from: NodeId, accusation: Accusation): void {
    const { membership, turn, self } = this.#ground
    const { subject, incarnation, accuser } = accusation
    if (subject === self) {
      const own = membership.announcementOf(self)?.incarnation ?? 0
      // only this node's own signature proves that it ever had a higher incarnation
      if (incarnation > own) this.#parts.want(from, self)
      if (incarnation !== own || !this.#isSigned(from, accusation)) return
      this.#parts.refute(incarnation, accuser)
      this.#strangers.answer(accuser)
      return
    }
    const verdict = membership.verdictOnAccusation(accusation)
    if (verdict === 'unknown-node') this.#parts.want(from, subject)
    if (verdict !== 'new' || !this.#isSigned(from, accusation)) return
    const isFirst = membership.suspicionOf(subject) === undefined
    const suspicion = membership.accuse(accusation, turn.nowMs)
    this.#parts.flood(accusation, from)
    if (isFirst) turn.emit({ kind: 'doubted', node: subject, accuser })
    if (!suspicion.isDead) this.#scheduleDeath(subject)
  }

  /** This node found another silent. */
  accuse(subject: NodeId): void {
    const { membership, notary, self } = this.#ground
    const incarnation = membership.announcementOf(subject)?.incarnation
    if (incarnation === undefined) return
    const unsigned = { kind: 'accusation', subject, incarnation, accuser: self } as const
    if (membership.verdictOnAccusation(unsigned) !== 'new') return
    this.onAccusation(self, notary.sign<Accusation>(unsigned))
  }

  /** Ends the timers of a node that is forgotten. */
  drop(node: NodeId): void {
    this.#timers.get(node)?.cancel()
    this.#timers.delete(node)
  }

  #isSigned(from: NodeId, accusation: Accusation): boolean {
    const { membership, notary, turn } = this.#ground
    const { accuser } = accusation
    const isAboutThis = accusation.subject === this.#ground.self
    const publicKey =
      membership.announcementOf(accuser)?.publicKey ??
      (isAboutThis ? this.#strangers.publicKeyOf(accuser) : undefined)
    if (publicKey === undefined) {
      this.#parts.want(from, accuser)
      return false
    }
    if (notary.isValid(accusation, publicKey)) return true
    turn.emit({ kind: 'rejected', from, reason: 'bad-signature', message: 'accusation' })
    return false
  }

  /** Something in this node's own name that it did not say in this life. */
  #onOwn(announcement: Announcement): void {
    const { membership, notary, self } = this.#ground
    const own = membership.announcementOf(self)
    if (own === undefined || announcement.incarnation < own.incarnation) return
    const isSame = Buffer.compare(announcement.signature, own.signature) === 0
    if (isSame || !notary.isValid(announcement, own.publicKey)) return
    this.#parts.refute(announcement.incarnation, self)
  }

  #report(node: NodeId, before: MemberState | undefined, from: NodeId): void {
    const { turn, membership } = this.#ground
    const after = membership.stateOf(node)
    if (after === 'left') {
      if (before !== 'left') turn.emit({ kind: 'left', node })
      this.#scheduleForgetting(node)
      return
    }
    if (before === undefined) turn.emit({ kind: 'joined', node })
    else if (before !== 'alive') turn.emit({ kind: 'refuted', node })
    if (before === 'dead' && from === node) this.#parts.onBack(node)
  }

  #scheduleDeath(node: NodeId): void {
    const { membership, timers, turn, settings } = this.#ground
    const suspicion = membership.suspicionOf(node)
    if (suspicion === undefined) return
    this.#timers.get(node)?.cancel()
    const accusers = suspicion.accusations.length
    const dueMs = suspicion.sinceMs + suspicionMs(settings, { accusers, nodes: membership.size })
    const timer = timers.after(Math.max(0, dueMs - turn.nowMs), () => {
      membership.declareDead(node)
      turn.emit({ kind: 'dead', node })
      this.#scheduleForgetting(node)
    })
    this.#timers.set(node, timer)
  }

  #scheduleForgetting(node: NodeId): void {
    const { timers, settings } = this.#ground
    if (this.#parts.isEvicted(node)) {
      this.#parts.forget(node)
      return
    }
    this.#timers.get(node)?.cancel()
    this.#timers.set(
      node,
      timers.after(settings.retentionMs, () => this.#parts.forget(node)),
    )
  }
}
