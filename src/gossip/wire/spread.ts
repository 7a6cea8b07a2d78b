/** Deltas, and what steers where they go. */
import type { Delta, Have, Prune, Want, WantEntry } from '../engine/messages.ts'
import type { MessageCodec } from './message-codec.ts'
import type { Reader } from './reader.ts'
import { LEAST_RECORD_BYTES, readRecord, writeRecord } from './record.ts'
import { readHead, writeHead } from './statements.ts'

const HAVE_ENTRY_BYTES = 24
const WANT_ENTRY_BYTES = 25

/** Part of a node's records. */
export const DELTA: MessageCodec<Delta> = {
  number: 7,
  write: (sink, { head, from, through, ageMs, records }) => {
    writeHead(sink, head)
    sink.u53(from)
    sink.u53(through)
    sink.u32(ageMs)
    sink.u32(records.length)
    for (const record of records) writeRecord(sink, record)
  },
  read: (reader) => ({
    kind: 'delta',
    head: readHead(reader),
    from: reader.u53(),
    through: reader.u53(),
    ageMs: reader.u32(),
    records: reader.list(reader.u32(), LEAST_RECORD_BYTES, readRecord),
  }),
}

/** "I hold these versions." */
export const HAVE: MessageCodec<Have> = {
  number: 8,
  write: (sink, { entries }) => {
    sink.u16(entries.length)
    for (const { node, version } of entries) {
      sink.id(node)
      sink.u53(version)
    }
  },
  read: (reader) => ({
    kind: 'have',
    entries: reader.list(reader.u16(), HAVE_ENTRY_BYTES, () => ({
      node: reader.id(),
      version: reader.u53(),
    })),
  }),
}

/** "Send me what is newer." */
export const WANT: MessageCodec<Want> = {
  number: 9,
  write: (sink, { isGraft, entries }) => {
    sink.flag(isGraft)
    sink.u16(entries.length)
    for (const { node, held, isStaged } of entries) {
      sink.id(node)
      sink.u53(held)
      sink.flag(isStaged)
    }
  },
  read: (reader) => ({
    kind: 'want',
    isGraft: reader.flag(),
    entries: reader.list(reader.u16(), WANT_ENTRY_BYTES, readWantEntry),
  }),
}

function readWantEntry(reader: Reader): WantEntry {
  return { node: reader.id(), held: reader.u53(), isStaged: reader.flag() }
}

const PRUNED: Prune = Object.freeze({ kind: 'prune' })

/** "Send me no copies unasked." */
export const PRUNE: MessageCodec<Prune> = {
  number: 11,
  write: () => undefined,
  read: () => PRUNED,
}
