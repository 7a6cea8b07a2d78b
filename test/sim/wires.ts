/** Messages between engines: as they are, or through the real codec. */
import type { Message } from '../../src/gossip/engine/messages.ts'
import { decodeMessages, encodeMessages } from '../../src/gossip/wire/codec.ts'
import { messageSize } from '../../src/gossip/wire/size.ts'
import type { Wire } from './seam.ts'
import { Violation } from './violation.ts'

/** Hands the objects over: engines treat messages as immutable. */
export const BY_REFERENCE: Wire = { sizeOf: messageSize, carry: (messages) => messages }

/** Writes and reads every message. */
export const BY_CODEC: Wire = { sizeOf: messageSize, carry: carryAsBytes }

function carryAsBytes(messages: readonly Message[], isHonest: boolean): readonly Message[] {
  if (!isHonest) return messages.flatMap(carryLie)
  const bytes = encodeMessages(messages)
  const sizeBytes = messages.reduce((sum, message) => sum + messageSize(message), 0)
  if (bytes.length !== sizeBytes) {
    throw new Violation('bytes', `${messages.map(({ kind }) => kind)}: size is not what is written`)
  }
  const read = decodeMessages(bytes)
  if (read.unreadable > 0 || read.messages.length !== messages.length) {
    throw new Violation('bytes', `${messages.map(({ kind }) => kind)} cannot be read back`)
  }
  return read.messages
}

/** Lies may be such that they cannot be written, or not read. */
function carryLie(message: Message): readonly Message[] {
  try {
    return decodeMessages(encodeMessages([message])).messages
  } catch {
    return []
  }
}
