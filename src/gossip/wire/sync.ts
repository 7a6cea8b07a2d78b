/** Anti-entropy: from digests of ranges down to rows. */
import type {
  Digest,
  SyncEnd,
  SyncOpen,
  SyncRanges,
  SyncRow,
  SyncRows,
} from '../engine/messages.ts'
import type { MessageCodec } from './message-codec.ts'
import type { Reader } from './reader.ts'

const RANGE_COUNT = 16
const DIGESTS_BYTES = RANGE_COUNT * 8
const ROW_BYTES = 33

/** The digests of the 16 ranges by the first digit of the node id. */
export const SYNC_OPEN: MessageCodec<SyncOpen> = {
  number: 12,
  write: (sink, { digests }) => {
    for (const digest of digests) sink.digest(digest)
  },
  read: (reader) => ({ kind: 'sync-open', digests: readDigests(reader) }),
}

/** The ranges that differ, each split in 16. */
export const SYNC_RANGES: MessageCodec<SyncRanges> = {
  number: 13,
  write: (sink, { ranges }) => {
    sink.u8(ranges.length)
    for (const { digit, digests } of ranges) {
      sink.u8(digit)
      for (const digest of digests) sink.digest(digest)
    }
  },
  read: (reader) => ({
    kind: 'sync-ranges',
    ranges: reader.list(reader.u8(), 1 + DIGESTS_BYTES, readRange),
  }),
}

/** All nodes of the ranges that differ. */
export const SYNC_ROWS: MessageCodec<SyncRows> = {
  number: 14,
  write: (sink, { ranges, rows }) => {
    sink.u16(ranges.length)
    for (const range of ranges) sink.u8(range)
    sink.u32(rows.length)
    for (const { node, incarnation, isAccused, held } of rows) {
      sink.id(node)
      sink.u53(incarnation)
      sink.flag(isAccused)
      sink.u53(held)
    }
  },
  read: (reader) => ({
    kind: 'sync-rows',
    ranges: reader.list(reader.u16(), 1, () => reader.u8()),
    rows: reader.list(reader.u32(), ROW_BYTES, readRow),
  }),
}

const ENDED: SyncEnd = Object.freeze({ kind: 'sync-end' })

/** "That was all that we know differently." */
export const SYNC_END: MessageCodec<SyncEnd> = {
  number: 17,
  write: () => undefined,
  read: () => ENDED,
}

function readDigests(reader: Reader): Digest[] {
  return reader.list(RANGE_COUNT, 8, () => reader.digest())
}

function readRange(reader: Reader): SyncRanges['ranges'][number] {
  const digit = reader.u8()
  if (digit >= RANGE_COUNT) reader.breakOff()
  return { digit, digests: readDigests(reader) }
}

function readRow(reader: Reader): SyncRow {
  return {
    node: reader.id(),
    incarnation: reader.u53(),
    isAccused: reader.flag(),
    held: reader.u53(),
  }
}
