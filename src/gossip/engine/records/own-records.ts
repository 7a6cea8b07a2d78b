/** The records that this node states: the only ones it writes. */
import type { OwnRecord, OwnRecordId } from '../../../model/record.ts'
import type { Ground } from '../ground.ts'
import type { Delta } from '../messages.ts'
import type { Head } from '../statements.ts'
import type { Timer } from '../timers.ts'
import { bucketBitsFor, type HashedRecord, hashRecord, RecordSet } from './record-set.ts'
import type { Records } from './records.ts'

/** What {@link OwnRecords} needs of the rest. */
export interface OwnRecordsParts {
  readonly firstVersion: number
  readonly records: Records
  /** Whether what others hold of this node's earlier life has been asked for. */
  readonly isJoined: () => boolean
  readonly spread: (delta: Delta) => void
}

const EMPTY = new Uint8Array()

/** Turns wanted records into versions, and forgets deletions in time. */
export class OwnRecords {
  readonly #ground: Ground
  readonly #parts: OwnRecordsParts
  readonly #wanted = new Map<OwnRecordId, OwnRecord>()
  /** Ids that may differ from what is stated; undefined: all. */
  #pending: Set<OwnRecordId> | undefined
  #isComplete = false
  #hasSpoken = false
  /** What others hold is not what this node stated, whatever it wants. */
  #mustSpeak = false
  /** What was taken over from an earlier life. */
  #adoptedVersion = 0
  #version: number
  #floor: number
  #commitTimer: Timer | undefined
  /** Deletions in the order of their age. */
  readonly #deletions: { readonly version: number; readonly sinceMs: number }[] = []

  constructor(ground: Ground, parts: OwnRecordsParts) {
    this.#ground = ground
    this.#parts = parts
    this.#version = parts.firstVersion - 1
    this.#floor = parts.firstVersion // whoever holds records of an earlier life takes all anew
  }

  /** Whether anything was stated in this life. */
  get hasSpoken(): boolean {
    return this.#hasSpoken
  }

  /** The latest version, or the one before the first. */
  get version(): number {
    return this.#version
  }

  /** Takes over what this node has to say; see `EngineInput`. */
  publish(
    changes: Iterable<readonly [OwnRecordId, OwnRecord | undefined]>,
    isComplete: boolean,
  ): void {
    for (const [id, record] of changes) {
      if (record === undefined) this.#wanted.delete(id)
      else this.#wanted.set(id, record)
      this.#pending?.add(id)
    }
    this.#isComplete ||= isComplete
    this.#schedule()
  }

  /** What others held of this node is there: the first anti-entropy ended, or more came later. */
  onEarlierLife(): void {
    this.#schedule()
  }

  /** A version of this node's own is out there that it does not know: goes above it. */
  jumpAbove(version: number): void {
    if (version <= this.#version) return
    this.#version = version
    this.#floor = version + 1
    this.#pending = undefined
    this.#mustSpeak = this.#hasSpoken
    this.#schedule()
  }

  #schedule(): void {
    const { timers, settings } = this.#ground
    if (!this.#parts.isJoined()) return
    this.#commitTimer ??= timers.after(settings.flushMs / 2, () => {
      this.#commitTimer = undefined
      this.#commit()
    })
  }

  #commit(): void {
    if (!this.#hasSpoken) this.#adopt()
    const { self } = this.#ground
    const set = this.#parts.records.of(self)?.set ?? new RecordSet()
    const entries = this.#changes(set)
    if (entries.length === 0 && !this.#mustSpeak) {
      if (!this.#hasSpoken) this.#pending = undefined // more of an earlier life may come
      return
    }
    const from = this.#parts.records.of(self)?.head.version ?? 0
    this.#version = entries.at(-1)?.record.version ?? this.#version + 1
    this.#state(set, entries, from)
    this.#hasSpoken = true
    this.#mustSpeak = false
  }

  /** Goes on from what peers held of an earlier life of this node. */
  #adopt(): void {
    const held = this.#parts.records.of(this.#ground.self)
    if (held === undefined || held.head.version === this.#adoptedVersion) return
    const deleted = [...held.set.entries()]
      .filter(({ record }) => record.isDeleted && record.version > this.#adoptedVersion)
      .map(({ record }) => record.version)
    this.#adoptedVersion = held.head.version
    this.#floor = held.head.floor
    this.#version = Math.max(this.#version, held.head.version)
    for (const version of deleted.sort((left, right) => left - right)) this.#noteDeletion(version)
  }

  /** The versions that lead from what is stated to what is wanted. */
  #changes(set: RecordSet): HashedRecord[] {
    const candidates = this.#pending ?? this.#allIds(set)
    let version = this.#version
    const entries: HashedRecord[] = []
    const kept = new Set<OwnRecordId>()
    for (const id of candidates) {
      const wanted = this.#wanted.get(id)
      const stated = set.get(id)
      if (wanted === undefined && !this.#isComplete) {
        kept.add(id)
        continue
      }
      if (isStated(wanted, stated)) continue
      const isDeleted = wanted === undefined
      const { kind, schema, key, value } = wanted ?? stated ?? NOTHING
      const record = { kind, schema, key, isDeleted, value: isDeleted ? EMPTY : value }
      entries.push(hashRecord({ ...record, version: ++version }))
      if (isDeleted) this.#noteDeletion(version)
    }
    this.#pending = kept
    return entries
  }

  #allIds(set: RecordSet): Set<OwnRecordId> {
    return new Set([...this.#wanted.keys(), ...[...set.entries()].map(({ id }) => id)])
  }

  #noteDeletion(version: number): void {
    this.#deletions.push({ version, sinceMs: this.#ground.turn.nowMs })
    this.#scheduleForgetting()
  }

  /** Applies own changes, signs the new head and tells the others. */
  #state(set: RecordSet, entries: readonly HashedRecord[], from: number): void {
    const { self, notary, turn } = this.#ground
    const bucketBits = bucketBitsFor(set.size + entries.length, set.bucketBits)
    const floor = this.#floor
    set.apply(entries, { floor, bucketBits })
    const unsigned = {
      kind: 'head',
      node: self,
      version: this.#version,
      floor,
      bucketBits,
    } as const
    const head = notary.sign<Head>({ ...unsigned, digest: set.digest() })
    for (const { id, record } of entries) this.#parts.records.report(self, id, record)
    this.#parts.records.put(self, { head, set, committedMs: turn.nowMs })
    const part = this.#parts.records.partFor({ node: self, held: from, isStaged: false })
    if (part !== undefined) this.#parts.spread(part)
  }

  #forgettingTimer: Timer | undefined

  /** Raises the floor over deletions that are old enough. */
  #scheduleForgetting(): void {
    const [oldest] = this.#deletions
    if (oldest === undefined || this.#forgettingTimer !== undefined) return
    const { timers, turn, settings } = this.#ground
    const dueMs = oldest.sinceMs + settings.retentionMs
    // at least a moment: rounding must not make it due for ever and never old enough
    this.#forgettingTimer = timers.after(Math.max(1, dueMs - turn.nowMs), () => {
      this.#forgettingTimer = undefined
      this.#forgetDeletions()
      this.#scheduleForgetting()
    })
  }

  #forgetDeletions(): void {
    const { turn, settings, self } = this.#ground
    const holding = this.#parts.records.of(self)
    // sums of times are rounded: what is due must count as old, or it would be due for ever
    const isOld = ({ sinceMs }: { readonly sinceMs: number }) =>
      turn.nowMs - sinceMs > settings.retentionMs - 1
    while (this.#deletions[0] !== undefined && isOld(this.#deletions[0])) {
      this.#floor = Math.max(this.#floor, this.#deletions.shift()?.version ?? 0)
    }
    if (holding === undefined) return
    const from = holding.head.version
    this.#version = Math.max(this.#version, from) + 1
    this.#hasSpoken = true
    this.#state(holding.set, [], from)
  }
}

const NOTHING = { kind: 0, schema: 0, key: '', value: EMPTY } as const

function isStated(
  wanted: OwnRecord | undefined,
  stated: (OwnRecord & { readonly isDeleted: boolean }) | undefined,
): boolean {
  if (wanted === undefined) return stated === undefined || stated.isDeleted
  if (stated === undefined || stated.isDeleted || wanted.schema !== stated.schema) return false
  return Buffer.compare(wanted.value, stated.value) === 0
}
