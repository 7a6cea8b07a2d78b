import type { Message, MessageKind } from '../engine/messages.ts'
import { AGENT_GONE, HINT } from './hint.ts'
import { ACCUSATION, ANNOUNCEMENT, EVICTION, JOIN, WANT_MEMBERS, WELCOME } from './membership.ts'
import type { MessageCodec } from './message-codec.ts'
import { ACK, PING, PING_REPORT, PING_REQUEST } from './probe.ts'
import { DELTA, HAVE, PRUNE, WANT } from './spread.ts'
import { SYNC_END, SYNC_OPEN, SYNC_RANGES, SYNC_ROWS } from './sync.ts'

/** How each kind of message is written and read. */
const CODECS: { readonly [K in MessageKind]: MessageCodec<Extract<Message, { kind: K }>> } = {
  ping: PING,
  ack: ACK,
  'ping-request': PING_REQUEST,
  'ping-report': PING_REPORT,
  announcement: ANNOUNCEMENT,
  accusation: ACCUSATION,
  delta: DELTA,
  have: HAVE,
  want: WANT,
  'want-members': WANT_MEMBERS,
  prune: PRUNE,
  'sync-open': SYNC_OPEN,
  'sync-ranges': SYNC_RANGES,
  'sync-rows': SYNC_ROWS,
  join: JOIN,
  welcome: WELCOME,
  'sync-end': SYNC_END,
  hint: HINT,
  eviction: EVICTION,
  'agent-gone': AGENT_GONE,
}

const BY_NUMBER: readonly (MessageCodec<Message> | undefined)[] = Object.values(CODECS).reduce<
  MessageCodec<Message>[]
>((codecs, codec) => {
  codecs[codec.number] = codec as MessageCodec<Message>
  return codecs
}, [])

/** The names of all kinds, in the order of their numbers. */
export const MESSAGE_KINDS: readonly MessageKind[] = Object.keys(CODECS) as MessageKind[]

/** How a message is written; it fits the message's kind. */
export function codecOf({ kind }: Pick<Message, 'kind'>): MessageCodec<Message> {
  return CODECS[kind] as MessageCodec<Message>
}

/** How messages of this number are read; undefined for those of newer nodes. */
export function codecOfNumber(number: number): MessageCodec<Message> | undefined {
  return BY_NUMBER[number]
}
