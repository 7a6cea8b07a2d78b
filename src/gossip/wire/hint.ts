/** Hints that something changed at the receiver. */
import type { Hint } from '../engine/messages.ts'
import type { MessageCodec } from './message-codec.ts'

const HINTED: Hint = Object.freeze({ kind: 'hint' })

/** "Read your agent now." */
export const HINT: MessageCodec<Hint> = {
  number: 18,
  write: () => undefined,
  read: () => HINTED,
}
