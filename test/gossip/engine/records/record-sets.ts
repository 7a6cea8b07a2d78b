/** Records and sets of them for tests. */
import {
  type HashedRecord,
  hashRecord,
  RecordSet,
} from '../../../../src/gossip/engine/records/record-set.ts'
import type { VersionedRecord } from '../../../../src/gossip/engine/statements.ts'
import type { OwnRecord, OwnRecordId } from '../../../../src/model/record.ts'
import { ownRecordIdOf } from '../../../../src/model/record.ts'

const EMPTY = new Uint8Array(0)

/** A record of kind 1 as it is held; without a value: deleted. */
export function recordOf(key: string, version: number, value?: string): VersionedRecord {
  return {
    kind: 1,
    schema: 1,
    key,
    version,
    isDeleted: value === undefined,
    value: value === undefined ? EMPTY : new Uint8Array(Buffer.from(value)),
  }
}

/** A change as it is published; without a value: removed. */
export function change(key: string, value?: string): readonly [OwnRecordId, OwnRecord | undefined] {
  const id = ownRecordIdOf({ kind: 1, key })
  if (value === undefined) return [id, undefined]
  return [id, { kind: 1, schema: 1, key, value: new Uint8Array(Buffer.from(value)) }]
}

/** Hashes records. */
export function hashed(...records: readonly VersionedRecord[]): HashedRecord[] {
  return records.map(hashRecord)
}

/** A set of these records, given in the order of their versions. */
export function setOf(records: readonly VersionedRecord[], floor = 0, bucketBits = 0): RecordSet {
  const set = new RecordSet()
  set.apply(hashed(...records), { floor, bucketBits })
  return set
}

/** Everything that a set holds, by id: what it tells when it is compared. */
export function contentsOf(set: RecordSet): readonly unknown[] {
  return [...set.entries()]
    .map(({ id, record }) => ({ id, record }))
    .sort((left, right) => (left.id < right.id ? -1 : 1))
}

/** Text of a digest. */
export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
