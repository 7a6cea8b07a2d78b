import type { Message } from '../engine/messages.ts'
import { codecOf } from './kinds.ts'
import { measure } from './measure.ts'

/** What stands before the body of each message: kind and length. */
export const MESSAGE_HEADER_BYTES = 5

/** How many bytes the message takes in a packet, header included. */
export function messageSize(message: Message): number {
  const codec = codecOf(message)
  return MESSAGE_HEADER_BYTES + measure((sink) => codec.write(sink, message))
}
