/** Who is in the cluster: the announcements and accusations that hold, and nothing else. */
import type { Random } from '../../../base/random.ts'
import type { MemberState } from '../../../model/member.ts'
import type { NodeId } from '../../../model/node-id.ts'
import type { Accusation, Announcement, Unsigned } from '../statements.ts'
import { type DigestRow, DigestTree } from '../sync/digest-tree.ts'
import type { Suspicion } from './suspicion.ts'

/** What became of a statement. */
export type Verdict = 'new' | 'known' | 'unknown-node' | 'forgotten-node'

interface Forgotten {
  readonly incarnation: number
  readonly untilMs: number
}

const MAX_FORGOTTEN = 100_000

/**
 * The members. Statements come here only after their signatures were checked. What changes is
 * told to `onChange`, and is in the digests at once.
 */
export class Membership {
  readonly digests: DigestTree = new DigestTree()
  readonly #announcements = new Map<NodeId, Announcement>()
  /** The same nodes in a list, to draw from. */
  #nodes: NodeId[] = []
  readonly #suspicions = new Map<NodeId, Suspicion>()
  readonly #held = new Map<NodeId, number>()
  readonly #forgotten = new Map<NodeId, Forgotten>()
  readonly #onChange: (node: NodeId) => void
  readonly #maxAccusers: number

  constructor(onChange: (node: NodeId) => void, maxAccusers: number) {
    this.#onChange = onChange
    this.#maxAccusers = maxAccusers
  }

  /** Doubted and dead members. */
  get suspicionCount(): number {
    return this.#suspicions.size
  }

  #leftCount = 0

  /** Members that left and are not forgotten yet. */
  get leftCount(): number {
    return this.#leftCount
  }

  get size(): number {
    return this.#announcements.size
  }

  announcementOf(node: NodeId): Announcement | undefined {
    return this.#announcements.get(node)
  }

  nodes(): Iterable<NodeId> {
    return this.#announcements.keys()
  }

  announcements(): Iterable<Announcement> {
    return this.#announcements.values()
  }

  suspicionOf(node: NodeId): Suspicion | undefined {
    return this.#suspicions.get(node)
  }

  /** Doubted and dead nodes. */
  suspicions(): Iterable<readonly [NodeId, Suspicion]> {
    return this.#suspicions
  }

  /** Draws a member. */
  draw(random: Random): NodeId | undefined {
    return this.#nodes[Math.floor(random.next() * this.#nodes.length)]
  }

  heldOf(node: NodeId): number {
    return this.#held.get(node) ?? 0
  }

  /** How a member stands; undefined for strangers. */
  stateOf(node: NodeId): MemberState | undefined {
    const announcement = this.#announcements.get(node)
    if (announcement === undefined) return undefined
    if (announcement.isLeaving) return 'left'
    const suspicion = this.#suspicions.get(node)
    if (suspicion === undefined) return 'alive'
    return suspicion.isDead ? 'dead' : 'doubted'
  }

  /** Whether an announcement would be news; asked before its signature is checked. */
  verdictOnAnnouncement({ node, incarnation }: Announcement): Verdict {
    const known = this.#announcements.get(node)
    if (known !== undefined) return incarnation > known.incarnation ? 'new' : 'known'
    return this.isForgotten(node, incarnation) ? 'forgotten-node' : 'new'
  }

  /** Whether a node was forgotten in this incarnation, or a higher one. */
  isForgotten(node: NodeId, incarnation: number): boolean {
    const forgotten = this.#forgotten.get(node)
    return forgotten !== undefined && incarnation <= forgotten.incarnation
  }

  /** In which incarnation a node was forgotten; undefined: it was not, or that is long ago. */
  forgottenIncarnationOf(node: NodeId): number | undefined {
    return this.#forgotten.get(node)?.incarnation
  }

  /** Whether an accusation would be news. */
  verdictOnAccusation({ subject, incarnation, accuser }: Unsigned<Accusation>): Verdict {
    const known = this.#announcements.get(subject)
    // Nobody is asked for what would be refused: the answer would bring the accusation again.
    if (known === undefined) {
      return this.isForgotten(subject, incarnation) ? 'forgotten-node' : 'unknown-node'
    }
    if (incarnation !== known.incarnation || known.isLeaving) return 'known'
    const accusations = this.#suspicions.get(subject)?.accusations ?? []
    const isOld = accusations.some((accusation) => accusation.accuser === accuser)
    return isOld || accusations.length >= this.#maxAccusers ? 'known' : 'new'
  }

  /** Takes over an announcement that is news; older accusations are void with it. */
  announce(announcement: Announcement): void {
    const { node } = announcement
    const before = this.#announcements.get(node)
    if (before === undefined) this.#nodes.push(node)
    this.#leftCount += Number(announcement.isLeaving) - Number(before?.isLeaving ?? false)
    this.#change(node, () => {
      this.#announcements.set(node, announcement)
      this.#suspicions.delete(node)
      this.#forgotten.delete(node)
    })
  }

  /** Takes over an accusation that is news. @returns the suspicion as it is now */
  accuse(accusation: Accusation, nowMs: number): Suspicion {
    const { subject } = accusation
    const before = this.#suspicions.get(subject)
    const suspicion = {
      accusations: [...(before?.accusations ?? []), accusation],
      sinceMs: before?.sinceMs ?? nowMs,
      isDead: before?.isDead ?? false,
    }
    this.#change(subject, () => this.#suspicions.set(subject, suspicion))
    return suspicion
  }

  /** The suspicion has lasted long enough. */
  declareDead(node: NodeId): void {
    const suspicion = this.#suspicions.get(node)
    if (suspicion === undefined) return
    this.#suspicions.set(node, { ...suspicion, isDead: true })
    this.#onChange(node)
  }

  /** The records of a node are held at this version. */
  hold(node: NodeId, version: number): void {
    this.#change(node, () => this.#held.set(node, version))
  }

  /**
   * Forgets a node.
   *
   * @param untilMs until then its present incarnation is refused; undefined: it may come back so
   */
  forget(node: NodeId, untilMs: number | undefined): void {
    const announcement = this.#announcements.get(node)
    if (announcement === undefined) return
    if (announcement.isLeaving) this.#leftCount--
    this.#change(node, () => {
      this.#announcements.delete(node)
      this.#suspicions.delete(node)
      this.#held.delete(node)
    })
    this.#nodes = this.#nodes.filter((other) => other !== node)
    if (untilMs === undefined) return
    this.#forgotten.set(node, { incarnation: announcement.incarnation, untilMs })
    const [oldest] = this.#forgotten.keys()
    if (this.#forgotten.size > MAX_FORGOTTEN && oldest !== undefined) this.#forgotten.delete(oldest)
  }

  /** Ends the memory of forgotten nodes whose time has come. */
  expireForgotten(nowMs: number): void {
    for (const [node, { untilMs }] of this.#forgotten) {
      if (untilMs <= nowMs) this.#forgotten.delete(node)
    }
  }

  /** What the digests say of a member. */
  rowOf(node: NodeId): DigestRow | undefined {
    const announcement = this.#announcements.get(node)
    if (announcement === undefined) return undefined
    const { incarnation } = announcement
    return { node, incarnation, isAccused: this.#suspicions.has(node), held: this.heldOf(node) }
  }

  #change(node: NodeId, change: () => void): void {
    const before = this.rowOf(node)
    if (before !== undefined) this.digests.toggle(before)
    change()
    const after = this.rowOf(node)
    if (after !== undefined) this.digests.toggle(after)
    this.#onChange(node)
  }
}
