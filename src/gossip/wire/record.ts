import type { VersionedRecord } from '../engine/statements.ts'
import { measure } from './measure.ts'
import type { Reader } from './reader.ts'
import type { Sink } from './sink.ts'
import { Writer } from './writer.ts'

/** The most bytes of UTF-8 in the key of a record. */
export const MOST_KEY_BYTES = 512

/** The most bytes in the value of a record: 1 MiB. */
export const MOST_VALUE_BYTES: number = 2 ** 20

/** The least bytes of a record: one without key and value. */
export const LEAST_RECORD_BYTES = 19

/** The bytes of a record, as they are hashed and as they stand in a delta. */
export function recordBytes(record: VersionedRecord): Uint8Array {
  const writer = new Writer(recordSize(record))
  writeRecord(writer, record)
  return writer.written
}

/** How many bytes {@link recordBytes} makes. */
export function recordSize(record: VersionedRecord): number {
  return measure((sink) => writeRecord(sink, record))
}

/** Writes a record. */
export function writeRecord(sink: Sink, record: VersionedRecord): void {
  sink.u16(record.kind)
  sink.u16(record.schema)
  sink.flag(record.isDeleted)
  sink.u53(record.version)
  sink.text(record.key)
  sink.bytes32(record.value)
}

/** Reads a record. */
export function readRecord(reader: Reader): VersionedRecord {
  const kind = reader.u16()
  const schema = reader.u16()
  const isDeleted = reader.flag()
  const version = reader.u53()
  const key = reader.text(MOST_KEY_BYTES)
  const value = reader.bytes32(isDeleted ? 0 : MOST_VALUE_BYTES)
  return { kind, schema, key, version, isDeleted, value }
}
