import type { Message } from '../engine/messages.ts'
import { codecOf, codecOfNumber } from './kinds.ts'
import { Reader } from './reader.ts'
import { MESSAGE_HEADER_BYTES, messageSize } from './size.ts'
import { Writer } from './writer.ts'

/** What a packet or frame carried. */
export interface DecodedMessages {
  readonly messages: Message[]
  /** How many were malformed. Those of unknown kinds are skipped and not counted. */
  readonly unreadable: number
}

/**
 * The bytes of messages, one after another.
 *
 * @throws RangeError when a number or a count does not fit its field, which is a bug
 */
export function encodeMessages(messages: readonly Message[]): Uint8Array {
  const sizes = messages.map(messageSize)
  const writer = new Writer(sizes.reduce((sum, size) => sum + size, 0))
  messages.forEach((message, index) => {
    const codec = codecOf(message)
    writer.u8(codec.number)
    writer.u32((sizes[index] ?? 0) - MESSAGE_HEADER_BYTES)
    codec.write(writer, message)
  })
  return writer.written
}

/**
 * Reads what {@link encodeMessages} wrote, or what a newer node did: skips messages of unknown kinds
 * and bytes behind the fields it knows. Never throws, and takes memory in proportion to the bytes.
 */
export function decodeMessages(bytes: Uint8Array): DecodedMessages {
  const reader = Reader.of(bytes)
  const messages: Message[] = []
  let unreadable = 0
  while (reader.remainingBytes > 0) {
    const codec = codecOfNumber(reader.u8())
    const body = reader.part(reader.u32())
    const message = reader.isBroken ? undefined : codec?.read(body)
    if (reader.isBroken || body.isBroken) unreadable++
    else if (message !== undefined) messages.push(message)
  }
  return { messages, unreadable }
}
