/** Anti-entropy: two nodes find what they know differently, at a cost that follows the difference. */
import type { NodeId } from '../../../model/node-id.ts'
import { destinationOf, type Ground, jittered } from '../ground.ts'
import type { Digest, Message, SyncOpen, SyncRanges, SyncRow, SyncRows } from '../messages.ts'
import type { MissingVersions } from '../spread/missing.ts'
import { FANOUT, isSameDigest, rangeOf, ZERO_DIGEST } from './digest-tree.ts'
import { compareRows } from './sync-rows.ts'

/** What {@link Sync} works with. */
export interface SyncParts {
  readonly missing: MissingVersions
  /** A peer has sent all that it knows differently. */
  readonly onEnd: (from: NodeId) => void
  /** Whether a node that a peer knows was evicted and forgotten here; the peer is told then. */
  readonly isEvicted: (peer: NodeId, row: SyncRow) => boolean
}

/** Changes need this long to spread: a difference that is younger is none. */
const SETTLE_MS = 1000
const MAX_MISMATCHES = 64
/** Two syncs with this node's doing are at least so far apart. */
const MIN_GAP_MS = 200
/** So many nodes are compared in one go; the rest a moment later. */
const ROWS_PER_STEP = 256
const STEP_MS = 2
const MAX_ANSWERS = 8

/** The anti-entropy of one node. */
export class Sync {
  readonly #ground: Ground
  readonly #parts: SyncParts
  /** Since when the digest of a peer differs. */
  readonly #mismatches = new Map<NodeId, number>()
  #nextMs = 0
  #openedMs = Number.NEGATIVE_INFINITY
  #answers = 0

  constructor(ground: Ground, parts: SyncParts) {
    this.#ground = ground
    this.#parts = parts
  }

  /** A ping or ack told a peer's digest. */
  onDigest(from: NodeId, digest: Digest): void {
    const { membership, turn } = this.#ground
    if (isSameDigest(digest, membership.digests.root)) {
      this.#mismatches.delete(from)
      return
    }
    const sinceMs = this.#mismatches.get(from)
    if (sinceMs === undefined) this.#noteMismatch(from)
    else if (turn.nowMs - sinceMs >= SETTLE_MS && turn.nowMs >= this.#nextMs) this.open(from)
  }

  /** Begins a round with a peer. */
  open(peer: NodeId): void {
    const { membership, outbox, turn, random, settings } = this.#ground
    const to = destinationOf(this.#ground, peer)
    if (to === undefined || turn.nowMs - this.#openedMs < MIN_GAP_MS) return
    this.#openedMs = turn.nowMs
    this.#nextMs = turn.nowMs + jittered(random, settings.syncIntervalMs)
    this.#mismatches.delete(peer)
    outbox.bulk(to, { kind: 'sync-open', digests: membership.digests.ranges })
    turn.emit({ kind: 'sync-opened', node: peer })
  }

  onOpen(from: NodeId, { digests }: SyncOpen): void {
    const own = this.#ground.membership.digests
    const differing = own.ranges.flatMap((digest, digit) =>
      isSameDigest(digest, digests[digit]) ? [] : [digit],
    )
    const ranges = differing.map((digit) => ({ digit, digests: own.below(digit) }))
    this.#send(from, ranges.length > 0 ? { kind: 'sync-ranges', ranges } : { kind: 'sync-end' })
  }

  onRanges(from: NodeId, { ranges }: SyncRanges): void {
    const { membership } = this.#ground
    const differing = ranges.flatMap(({ digit, digests }) =>
      membership.digests
        .below(digit)
        .flatMap((digest, second) =>
          isSameDigest(digest, digests[second] ?? ZERO_DIGEST) ? [] : [digit * FANOUT + second],
        ),
    )
    const rows = this.#nodesIn(new Set(differing)).flatMap((node) => membership.rowOf(node) ?? [])
    this.#send(from, { kind: 'sync-rows', ranges: differing, rows })
  }

  onRows(from: NodeId, { ranges, rows }: SyncRows): void {
    if (this.#answers >= MAX_ANSWERS) return
    this.#answers++
    const theirs = new Map(rows.map((row) => [row.node, row]))
    const nodes = this.#nodesIn(new Set(ranges))
    const strangers = rows
      .filter((row) => !this.#isKnown(row.node) && !this.#parts.isEvicted(from, row))
      .map(({ node }) => node)
    this.#answer(from, { theirs, nodes, strangers })
  }

  onEnd(from: NodeId): void {
    this.#parts.onEnd(from)
  }

  /** Compares in steps, so that a big difference does not hold up probes. */
  #answer(
    from: NodeId,
    work: {
      readonly theirs: ReadonlyMap<NodeId, SyncRow>
      readonly nodes: NodeId[]
      readonly strangers: NodeId[]
    },
  ): void {
    const nodes = work.nodes.splice(0, ROWS_PER_STEP)
    const strangers = work.strangers.splice(0, ROWS_PER_STEP)
    const { messages, missing } = compareRows(this.#ground.membership, {
      nodes,
      strangers,
      theirs: work.theirs,
    })
    this.#send(from, ...messages)
    for (const { node, version } of missing) this.#parts.missing.note(node, version, from)
    if (work.nodes.length + work.strangers.length > 0) {
      this.#ground.timers.after(STEP_MS, () => this.#answer(from, work))
      return
    }
    this.#answers--
    this.#send(from, { kind: 'sync-end' })
  }

  #isKnown(node: NodeId): boolean {
    return this.#ground.membership.announcementOf(node) !== undefined
  }

  #nodesIn(ranges: ReadonlySet<number>): NodeId[] {
    if (ranges.size === 0) return []
    return [...this.#ground.membership.nodes()].filter((node) => ranges.has(rangeOf(node)))
  }

  #noteMismatch(from: NodeId): void {
    this.#mismatches.set(from, this.#ground.turn.nowMs)
    const [oldest] = this.#mismatches.keys()
    if (this.#mismatches.size > MAX_MISMATCHES && oldest !== undefined) {
      this.#mismatches.delete(oldest)
    }
  }

  #send(peer: NodeId, ...messages: readonly Message[]): void {
    const to = destinationOf(this.#ground, peer)
    if (to !== undefined && messages.length > 0) this.#ground.outbox.bulk(to, ...messages)
  }
}
