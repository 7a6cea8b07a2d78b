/** What is held of every node's records, and what of it is on the way. */
import type { NodeId } from '../../../model/node-id.ts'
import { type ClusterRecord, clusterRecordIdOf, type OwnRecordId } from '../../../model/record.ts'
import type { RejectReason } from '../effects.ts'
import type { Ground } from '../ground.ts'
import type { Delta, WantEntry } from '../messages.ts'
import type { Head, VersionedRecord } from '../statements.ts'
import { type HashedRecord, hashRecord, RecordSet } from './record-set.ts'

/** A node's records at the version of its head. */
export interface Holding {
  readonly head: Head
  readonly set: RecordSet
  /** When the node made this version, on the clock of this node. */
  readonly committedMs: number
}

/** What became of a delta. */
export type Receipt =
  | { readonly kind: 'applied'; readonly isWhole: boolean }
  | { readonly kind: 'duplicate' }
  /** More parts are to come: ask for this next. */
  | { readonly kind: 'staged'; readonly next: WantEntry }
  /** Something between what is held and the delta is missing. */
  | { readonly kind: 'gap' }
  | { readonly kind: 'rejected'; readonly reason: RejectReason }

interface Staging {
  readonly isWhole: boolean
  readonly records: HashedRecord[]
  through: number
  bytes: number
}

/** Seven weeks: the most that the field of a delta takes. */
export const MAX_AGE_MS: number = 2 ** 32 - 1
const MAX_STAGED_BYTES = 256 * 1024 * 1024

/** The records of all nodes. */
export class Records {
  readonly #ground: Ground
  readonly #holdings = new Map<NodeId, Holding>()
  readonly #staging = new Map<NodeId, Staging>()
  /**
   * Nodes of which what is held and what came did not fit together: the last versions of an earlier
   * life may have reached this node alone. They are asked for whole.
   */
  readonly #unfit = new Set<NodeId>()

  constructor(ground: Ground) {
    this.#ground = ground
  }

  of(node: NodeId): Holding | undefined {
    return this.#holdings.get(node)
  }

  /** All live records. */
  *live(): Iterable<ClusterRecord> {
    for (const [node, { set }] of this.#holdings) {
      for (const { record } of set.entries()) if (!record.isDeleted) yield rowOf(node, record)
    }
  }

  /** What to ask for next of a node. */
  wantOf(node: NodeId): WantEntry {
    const staging = this.#staging.get(node)
    if (staging !== undefined) {
      return { node, held: staging.through, isStaged: staging.isWhole }
    }
    const held = this.#unfit.has(node) ? 0 : this.#ground.membership.heldOf(node)
    return { node, held, isStaged: false }
  }

  /** Gives up what was staged of a node, so that the next part begins anew. */
  unstage(node: NodeId): void {
    this.#staging.delete(node)
  }

  /** The next part of what someone lacks; undefined when this node holds nothing newer. */
  partFor({ node, held, isStaged }: WantEntry): Delta | undefined {
    const holding = this.#holdings.get(node)
    if (holding === undefined || holding.head.version <= held) return undefined
    const { head, set, committedMs } = holding
    const { settings, turn } = this.#ground
    const from = isStaged || held >= head.floor ? held : 0
    const { records, isAll } = set.since(from, settings.partBytes)
    const through = isAll ? head.version : (records.at(-1)?.version ?? head.version)
    const ageMs = Math.min(MAX_AGE_MS, Math.max(0, Math.round(turn.nowMs - committedMs)))
    return { kind: 'delta', head, from, through, ageMs, records }
  }

  /** Takes in a delta. */
  receive(delta: Delta): Receipt {
    const { head, from } = delta
    const { membership, notary } = this.#ground
    const publicKey = membership.announcementOf(head.node)?.publicKey
    if (publicKey === undefined) return { kind: 'rejected', reason: 'unknown-node' }
    const held = membership.heldOf(head.node)
    if (head.version <= held) return { kind: 'duplicate' }
    const staging = this.#staging.get(head.node)
    const isNext = staging !== undefined && staging.through === from && from > 0
    if (!isNext && from > held) return { kind: 'gap' }
    if (!notary.isValid(head, publicKey)) return { kind: 'rejected', reason: 'bad-signature' }
    const isWhole = isNext ? staging.isWhole : from === 0
    return this.#stage(delta, isNext ? staging : { isWhole, records: [], through: from, bytes: 0 })
  }

  #stage({ head, through, records, ageMs }: Delta, staging: Staging): Receipt {
    const { node } = head
    for (const record of records) {
      if (record.version <= staging.through) continue
      staging.records.push(hashRecord(record))
      staging.bytes += record.value.length + record.key.length
      staging.through = record.version
    }
    staging.through = Math.max(staging.through, through)
    if (staging.bytes > MAX_STAGED_BYTES) {
      this.#staging.delete(node)
      return { kind: 'rejected', reason: 'too-large' }
    }
    if (through < head.version) {
      this.#staging.set(node, staging)
      return { kind: 'staged', next: this.wantOf(node) }
    }
    this.#staging.delete(node)
    if (!this.#take(head, staging, ageMs)) {
      if (staging.isWhole) this.#unfit.delete(node)
      else this.#unfit.add(node)
      return { kind: 'rejected', reason: 'wrong-digest' }
    }
    this.#unfit.delete(node)
    return { kind: 'applied', isWhole: staging.isWhole }
  }

  /** @returns whether the digest is what the node signed; if not nothing changed */
  #take(head: Head, { isWhole, records }: Staging, ageMs: number): boolean {
    const before = this.#holdings.get(head.node)
    const set = isWhole || before === undefined ? new RecordSet() : before.set
    const held = isWhole ? 0 : (before?.head.version ?? 0)
    const news = records.filter(({ record }) => record.version > held)
    const undo = set.apply(news, head)
    if (Buffer.compare(set.digest(), head.digest) !== 0) {
      undo()
      return false
    }
    if (set !== before?.set && before !== undefined)
      this.#reportReplaced(head.node, before.set, set)
    else this.#report(head.node, news)
    this.put(head.node, { head, set, committedMs: this.#ground.turn.nowMs - ageMs })
    return true
  }

  /** Holds a node's records as they are now; record changes were or are reported by the caller. */
  put(node: NodeId, holding: Holding): void {
    this.#holdings.set(node, holding)
    this.#ground.membership.hold(node, holding.head.version)
  }

  /** Lets go of a forgotten node's records. */
  drop(node: NodeId): void {
    const { turn } = this.#ground
    for (const { id, record } of this.#holdings.get(node)?.set.entries() ?? []) {
      if (!record.isDeleted) turn.changeRecord(clusterRecordIdOf(node, id), undefined)
    }
    this.#holdings.delete(node)
    this.#staging.delete(node)
    this.#unfit.delete(node)
  }

  /** Reports records that were put or deleted. */
  #report(node: NodeId, entries: readonly HashedRecord[]): void {
    for (const { id, record } of entries) this.report(node, id, record)
  }

  /** Reports that a record is so now. */
  report(node: NodeId, id: OwnRecordId, record: VersionedRecord): void {
    const row = record.isDeleted ? undefined : rowOf(node, record)
    this.#ground.turn.changeRecord(clusterRecordIdOf(node, id), row)
  }

  #reportReplaced(node: NodeId, before: RecordSet, after: RecordSet): void {
    const { turn } = this.#ground
    for (const { id, record } of before.entries()) {
      if (!record.isDeleted && after.get(id) === undefined) {
        turn.changeRecord(clusterRecordIdOf(node, id), undefined)
      }
    }
    for (const { id, record } of after.entries()) {
      if (before.get(id)?.version !== record.version) this.report(node, id, record)
    }
  }
}

function rowOf(
  node: NodeId,
  { kind, schema, key, version, value }: VersionedRecord,
): ClusterRecord {
  return { node, kind, schema, key, version, value }
}
