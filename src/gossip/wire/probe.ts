/** Pings, direct and through others. */
import type { Ack, Ping, PingReport, PingRequest } from '../engine/messages.ts'
import type { MessageCodec } from './message-codec.ts'

/** "Do you live, and do we know the same?" */
export const PING: MessageCodec<Ping> = {
  number: 1,
  write: (sink, { sequence, digest }) => {
    sink.u32(sequence)
    sink.digest(digest)
  },
  read: (reader) => ({ kind: 'ping', sequence: reader.u32(), digest: reader.digest() }),
}

/** The answer to a ping. */
export const ACK: MessageCodec<Ack> = {
  number: 2,
  write: (sink, { sequence, digest }) => {
    sink.u32(sequence)
    sink.digest(digest)
  },
  read: (reader) => ({ kind: 'ack', sequence: reader.u32(), digest: reader.digest() }),
}

/** "Ping this node for me." */
export const PING_REQUEST: MessageCodec<PingRequest> = {
  number: 3,
  write: (sink, { sequence, subject }) => {
    sink.u32(sequence)
    sink.id(subject)
  },
  read: (reader) => ({ kind: 'ping-request', sequence: reader.u32(), subject: reader.id() }),
}

/** What became of it. */
export const PING_REPORT: MessageCodec<PingReport> = {
  number: 4,
  write: (sink, { sequence, isAnswered }) => {
    sink.u32(sequence)
    sink.flag(isAnswered)
  },
  read: (reader) => ({ kind: 'ping-report', sequence: reader.u32(), isAnswered: reader.flag() }),
}
