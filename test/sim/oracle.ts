/** All that nodes ever stated: the truth against which the others' tables are held. */
import type { Announcement, Head, Statement } from '../../src/gossip/engine/statements.ts'
import type { NodeId } from '../../src/model/node-id.ts'
import type { Host } from './host.ts'
import { differenceOf, type Shown } from './views.ts'
import { Violation } from './violation.ts'

interface Version {
  readonly digest: string
  /** Undefined: the next version was signed in the same step, and what was between was not seen. */
  readonly records: Shown | undefined
}

/** Remembers what was signed, and the set behind each head. */
export class Oracle {
  readonly #announcements = new Map<NodeId, Map<number, Announcement>>()
  readonly #accusations = new Set<string>()
  /** The highest incarnation of each node that anybody evicted. */
  readonly #evictions = new Map<NodeId, number>()
  readonly #versions = new Map<NodeId, Map<number, Version>>()
  readonly #newHeads: Head[] = []
  readonly #lastHeads = new Map<NodeId, Head>()
  /** When a node took a record away, and the least version that this may have. */
  readonly #deletions = new Map<NodeId, { readonly version: number; readonly atMs: number }[]>()

  sign(statement: Statement): void {
    switch (statement.kind) {
      case 'announcement':
        this.#announce(statement)
        return
      case 'accusation':
        this.#accusations.add(`${statement.accuser} ${statement.subject}`)
        this.#accusations.add(`${statement.subject}@${statement.incarnation}`)
        return
      case 'eviction': {
        const { subject, incarnation } = statement
        const highest = Math.max(incarnation, this.#evictions.get(subject) ?? 0)
        this.#evictions.set(subject, highest)
        return
      }
      case 'head':
        this.#newHeads.push(statement)
    }
  }

  #announce(announcement: Announcement): void {
    const { node, incarnation } = announcement
    const earlier = this.#announcements.get(node) ?? new Map<number, Announcement>()
    this.#announcements.set(node, earlier)
    const same = earlier.get(incarnation)
    if (same !== undefined && !areEqual(same, announcement)) {
      throw new Violation('monotony', `announces incarnation ${incarnation} in two ways`)
    }
    earlier.set(incarnation, announcement)
  }

  /** Takes down what the heads stand for that were signed in the step that just ended. */
  endStep(host: Host, own: Shown, nowMs: number): void {
    const heads = this.#newHeads.splice(0)
    heads.forEach((head, index) => {
      this.#noteDeletions(head, own, nowMs)
      this.#noteHead(head, index === heads.length - 1 ? own : undefined, host)
    })
  }

  #noteHead(head: Head, own: Shown | undefined, host: Host): void {
    const versions = this.#versions.get(head.node) ?? new Map<number, Version>()
    this.#versions.set(head.node, versions)
    const digest = Buffer.from(head.digest).toString('hex')
    const earlier = versions.get(head.version)
    if (earlier === undefined) {
      versions.set(head.version, { digest, records: own && new Map(own) })
      return
    }
    const { records } = earlier
    const isSame = own === undefined || records === undefined || !differenceOf(own, records)
    if (earlier.digest === digest && isSame) return
    throw new Violation('monotony', `${host} uses version ${head.version} for another set`)
  }

  #noteDeletions(head: Head, own: Shown, atMs: number): void {
    const { node } = head
    const last = this.#lastHeads.get(node)?.version ?? 0
    const before = this.recordsAt(node, last)
    this.#lastHeads.set(node, head)
    if (before === undefined || [...before.keys()].every((id) => own.has(id))) return
    const deletions = this.#deletions.get(node) ?? []
    this.#deletions.set(node, deletions)
    deletions.push({ version: last + 1, atMs })
  }

  /** Whether a node still remembers a deletion that it made before this time. */
  remembersDeletionBefore(node: NodeId, timeMs: number): boolean {
    const floor = this.#lastHeads.get(node)?.floor ?? 0
    const deletions = this.#deletions.get(node) ?? []
    return deletions.some(({ version, atMs }) => atMs < timeMs && version > floor)
  }

  announcement(node: NodeId, incarnation: number): Announcement | undefined {
    return this.#announcements.get(node)?.get(incarnation)
  }

  hasAccused(accuser: NodeId, subject: NodeId): boolean {
    return this.#accusations.has(`${accuser} ${subject}`)
  }

  isAccused(subject: NodeId, incarnation: number): boolean {
    return this.#accusations.has(`${subject}@${incarnation}`)
  }

  /** Whether anybody evicted this incarnation of a node. */
  isEvicted(node: NodeId, incarnation: number): boolean {
    return (this.#evictions.get(node) ?? Number.NEGATIVE_INFINITY) >= incarnation
  }

  hasSigned(node: NodeId, version: number): boolean {
    return this.#versions.get(node)?.has(version) ?? false
  }

  /** The set that a node had at a version; undefined: it was not seen. */
  recordsAt(node: NodeId, version: number): Shown | undefined {
    return this.#versions.get(node)?.get(version)?.records
  }
}

function areEqual(left: Announcement, right: Announcement): boolean {
  return Buffer.compare(left.signature, right.signature) === 0
}
