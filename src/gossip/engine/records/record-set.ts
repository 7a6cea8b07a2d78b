/**
 * The records of one node at one version: live ones and, above the floor, deleted ones. Its digest
 * is what the node signs; `docs/gossip.md` tells how it is made.
 */
import { hash } from 'node:crypto'
import { type OwnRecordId, ownRecordIdOf } from '../../../model/record.ts'
import { recordBytes } from '../../wire/record.ts'
import type { VersionedRecord } from '../statements.ts'

/** A record with its hash: 16 bytes as a binary string, so that bytes and text sort alike. */
export interface HashedRecord {
  readonly id: OwnRecordId
  readonly record: VersionedRecord
  readonly hash: string
}

/** What {@link RecordSet.apply} changes besides records. */
export interface SetShape {
  readonly floor: number
  readonly bucketBits: number
}

const RECORDS_PER_BUCKET = 64
const MAX_BUCKET_BITS = 16

/** Hashes a record. */
export function hashRecord(record: VersionedRecord): HashedRecord {
  const digest = hash('sha256', recordBytes(record), 'binary').slice(0, 16)
  return { id: ownRecordIdOf(record), record, hash: digest }
}

/** The bits that an owner takes for so many records, with hysteresis. */
export function bucketBitsFor(size: number, presentBits: number): number {
  const perBucket = size / 2 ** presentBits
  const isFine = perBucket <= 2 * RECORDS_PER_BUCKET && perBucket >= RECORDS_PER_BUCKET / 2
  if (isFine || (presentBits === 0 && size <= 2 * RECORDS_PER_BUCKET)) return presentBits
  const bits = Math.ceil(Math.log2(Math.max(1, size / RECORDS_PER_BUCKET)))
  return Math.min(MAX_BUCKET_BITS, bits)
}

/** A changing set; one per node. */
export class RecordSet {
  #buckets: Map<OwnRecordId, HashedRecord>[] = [new Map()]
  #bucketDigests: (Buffer | undefined)[] = [undefined]
  #bucketBits = 0
  #size = 0
  #liveCount = 0
  /** Records by version; those that were overwritten stay until the next clean-up. */
  #log: HashedRecord[] = []

  /** Live and deleted records. */
  get size(): number {
    return this.#size
  }

  get liveCount(): number {
    return this.#liveCount
  }

  get bucketBits(): number {
    return this.#bucketBits
  }

  get(id: OwnRecordId): VersionedRecord | undefined {
    return this.#buckets[this.#bucketOf(id)]?.get(id)?.record
  }

  /** All records, deleted ones too. */
  *entries(): Iterable<HashedRecord> {
    for (const bucket of this.#buckets) yield* bucket.values()
  }

  /**
   * Takes over records, newer than all it has, in the order of their versions.
   *
   * @returns a function that undoes it
   */
  apply(records: readonly HashedRecord[], { floor, bucketBits }: SetShape): () => void {
    const before = { bits: this.#bucketBits, length: this.#log.length }
    this.#rebucket(bucketBits)
    const replaced: (readonly [OwnRecordId, HashedRecord | undefined])[] = []
    for (const entry of records) {
      replaced.push([entry.id, this.#put(entry.id, entry)])
      this.#log.push(entry)
    }
    for (const { id } of this.#expired(floor)) replaced.push([id, this.#put(id, undefined)])
    return () => {
      for (const [id, entry] of replaced.reverse()) this.#put(id, entry)
      this.#log.length = before.length
      this.#rebucket(before.bits)
    }
  }

  /** SHA-256 over the buckets' digests. */
  digest(): Uint8Array {
    const digests = this.#buckets.map((bucket, index) => {
      const known = this.#bucketDigests[index]
      if (known !== undefined) return known
      const digest = bucketDigest(bucket)
      this.#bucketDigests[index] = digest
      return digest
    })
    return hash('sha256', Buffer.concat(digests), 'buffer')
  }

  /**
   * The records newer than a version, in the order of their versions.
   *
   * @param maxBytes stops before this is passed, but gives one at least
   */
  since(
    version: number,
    maxBytes: number,
  ): { readonly records: readonly VersionedRecord[]; readonly isAll: boolean } {
    this.#cleanLog()
    const records: VersionedRecord[] = []
    let bytes = 0
    for (let index = this.#firstAfter(version); index < this.#log.length; index++) {
      const entry = this.#log[index]
      if (entry === undefined || !this.#isPresent(entry)) continue
      bytes += recordBytes(entry.record).length
      if (records.length > 0 && bytes > maxBytes) return { records, isAll: false }
      records.push(entry.record)
    }
    return { records, isAll: true }
  }

  #isPresent(entry: HashedRecord): boolean {
    return this.#buckets[this.#bucketOf(entry.id)]?.get(entry.id) === entry
  }

  #firstAfter(version: number): number {
    let low = 0
    let high = this.#log.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#log[middle]?.record.version ?? 0) > version) high = middle
      else low = middle + 1
    }
    return low
  }

  #cleanLog(): void {
    if (this.#log.length <= 2 * this.#size + RECORDS_PER_BUCKET) return
    this.#log = this.#log.filter((entry) => this.#isPresent(entry))
  }

  /** Deleted records that a floor lets go. */
  #expired(floor: number): readonly HashedRecord[] {
    if (this.#size === this.#liveCount) return []
    const expired: HashedRecord[] = []
    for (const entry of this.entries()) {
      if (entry.record.isDeleted && entry.record.version <= floor) expired.push(entry)
    }
    return expired
  }

  #put(id: OwnRecordId, entry: HashedRecord | undefined): HashedRecord | undefined {
    const index = this.#bucketOf(id)
    const bucket = this.#buckets[index]
    const previous = bucket?.get(id)
    if (entry === undefined) bucket?.delete(id)
    else bucket?.set(id, entry)
    this.#bucketDigests[index] = undefined
    this.#size += (entry ? 1 : 0) - (previous ? 1 : 0)
    this.#liveCount += liveness(entry) - liveness(previous)
    return previous
  }

  #rebucket(bits: number): void {
    if (bits === this.#bucketBits) return
    const entries = [...this.entries()]
    this.#bucketBits = bits
    this.#buckets = Array.from({ length: 2 ** bits }, () => new Map())
    this.#bucketDigests = this.#buckets.map(() => undefined)
    for (const entry of entries) this.#buckets[this.#bucketOf(entry.id)]?.set(entry.id, entry)
  }

  #bucketOf(id: OwnRecordId): number {
    return this.#bucketBits === 0 ? 0 : fnv1a(id) >>> (32 - this.#bucketBits)
  }
}

function liveness(entry: HashedRecord | undefined): number {
  return entry === undefined || entry.record.isDeleted ? 0 : 1
}

function bucketDigest(bucket: ReadonlyMap<OwnRecordId, HashedRecord>): Buffer {
  const hashes = [...bucket.values()].map((entry) => entry.hash).sort()
  return hash('sha256', Buffer.from(hashes.join(''), 'binary'), 'buffer')
}

/** **Source:** Fowler, Noll, Vo: FNV-1a, 32 bits, over the UTF-8 of the text */
function fnv1a(text: string): number {
  let value = 0x811c9dc5
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193)
  return value >>> 0
}
