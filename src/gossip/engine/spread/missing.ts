/** Versions that are known of but not held, and whom to ask for them: a few at a time. */
import type { NodeId } from '../../../model/node-id.ts'
import { destinationOf, type Ground } from '../ground.ts'
import type { Records } from '../records/records.ts'
import type { Timer } from '../timers.ts'
import type { Links } from './links.ts'

interface Missing {
  version: number
  readonly sources: NodeId[]
  asked: NodeId | undefined
  attempts: number
  timer: Timer | undefined
}

/** How long an unasked copy may take before this node asks for one. */
const GRACE_MS = 100
/** How long the first answer may take before the next source is asked; each further one longer. */
const ANSWER_MS = 250
const MAX_ATTEMPTS = 6
/** Two misses within this time are two, and call for a graft; what is closer together is one. */
const REPEATED_MISS_MS = 60_000
const SAME_MISS_MS = 200
const MAX_ASKED = 32
const MAX_SOURCES = 4

/** What {@link MissingVersions} works with. */
export interface MissingParts {
  readonly records: Records
  readonly links: Links
}

/** Asks for what is missing. */
export class MissingVersions {
  readonly #ground: Ground
  readonly #records: Records
  readonly #links: Links
  readonly #missing = new Map<NodeId, Missing>()
  readonly #queue = new Set<NodeId>()
  #askedCount = 0
  #missedMs = Number.NEGATIVE_INFINITY

  constructor(ground: Ground, { records, links }: MissingParts) {
    this.#ground = ground
    this.#records = records
    this.#links = links
  }

  /** Nodes of which something is missing that somebody can be asked for. */
  get size(): number {
    return this.#missing.size
  }

  /** The highest version heard of that is not held. */
  versionOf(node: NodeId): number | undefined {
    return this.#missing.get(node)?.version
  }

  isAskedOf(node: NodeId, peer: NodeId): boolean {
    return this.#missing.get(node)?.asked === peer
  }

  /** A peer holds this version. */
  note(node: NodeId, version: number, source: NodeId): void {
    const { membership, timers } = this.#ground
    if (membership.heldOf(node) >= version) return
    const known = this.#missing.get(node)
    if (known !== undefined) {
      known.version = Math.max(known.version, version)
      if (!known.sources.includes(source)) known.sources.push(source)
      if (known.sources.length > MAX_SOURCES) known.sources.shift()
      return
    }
    const timer = timers.after(GRACE_MS, () => this.#enqueue(node))
    const entry = { version, sources: [source], asked: undefined, attempts: 0, timer }
    this.#missing.set(node, entry)
  }

  /** Asks a peer at once: something came from it that does not fit what is held. */
  askNow(node: NodeId, version: number, source: NodeId): void {
    this.note(node, version, source)
    const entry = this.#missing.get(node)
    if (entry === undefined || entry.asked !== undefined) return
    entry.timer?.cancel()
    this.#enqueue(node)
  }

  /** Part of what was asked came: asks for the next. */
  goOn(node: NodeId, source: NodeId): void {
    const entry = this.#missing.get(node)
    if (entry?.asked !== source) return
    entry.attempts = 1
    this.#ask(node, entry, source)
  }

  /** What is held of a node changed, or its source gave nonsense. */
  settle(node: NodeId, failedSource?: NodeId): void {
    const entry = this.#missing.get(node)
    if (entry === undefined) return
    const isHeld = this.#ground.membership.heldOf(node) >= entry.version
    if (isHeld) this.#remove(node, entry)
    else if (failedSource !== undefined && entry.asked === failedSource) this.#next(node, entry)
  }

  /** The node is forgotten. */
  drop(node: NodeId): void {
    const entry = this.#missing.get(node)
    if (entry !== undefined) this.#remove(node, entry)
  }

  #enqueue(node: NodeId): void {
    this.#queue.add(node)
    this.#pump()
  }

  #pump(): void {
    for (const node of this.#queue) {
      if (this.#askedCount >= MAX_ASKED) return
      this.#queue.delete(node)
      const entry = this.#missing.get(node)
      if (entry === undefined || entry.asked !== undefined) continue
      this.#askedCount++
      this.#next(node, entry)
    }
  }

  /** Asks the next source; without one gives up, for anti-entropy to find it again. */
  #next(node: NodeId, entry: Missing): void {
    const source = entry.sources.shift()
    if (source !== undefined && entry.attempts++ < MAX_ATTEMPTS) this.#ask(node, entry, source)
    else {
      this.#records.unstage(node)
      this.#remove(node, entry)
    }
  }

  #ask(node: NodeId, entry: Missing, source: NodeId): void {
    const to = destinationOf(this.#ground, source)
    entry.asked = source
    entry.timer?.cancel()
    const entries = [this.#records.wantOf(node)]
    const isGraft = this.#isGraft()
    if (isGraft) this.#links.setEager(source, true) // a graft holds in both directions
    if (to !== undefined) this.#ground.outbox.urgent(to, { kind: 'want', isGraft, entries })
    entry.timer = this.#ground.timers.after(ANSWER_MS * entry.attempts, () => {
      entry.sources.push(source) // the question or the answer may have got lost
      this.#next(node, entry)
    })
  }

  /** One copy that got lost does not make a tree that is cut: the second does. */
  #isGraft(): boolean {
    const { nowMs } = this.#ground.turn
    const sinceMs = nowMs - this.#missedMs
    if (sinceMs > SAME_MISS_MS) this.#missedMs = nowMs
    return sinceMs > SAME_MISS_MS && sinceMs < REPEATED_MISS_MS
  }

  #remove(node: NodeId, entry: Missing): void {
    entry.timer?.cancel()
    this.#missing.delete(node)
    if (entry.asked !== undefined) this.#askedCount--
    this.#queue.delete(node)
    this.#ground.turn.touch(node)
    this.#pump()
  }
}
