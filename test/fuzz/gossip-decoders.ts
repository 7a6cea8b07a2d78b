/** The messages of gossip: each kind's body alone, and whole packets of all kinds. */
import fc from 'fast-check'
import type { Message, MessageKind } from '../../src/gossip/engine/messages.ts'
import { decodeMessages, encodeMessages } from '../../src/gossip/wire/codec.ts'
import { codecOf, MESSAGE_KINDS } from '../../src/gossip/wire/kinds.ts'
import { MESSAGE_HEADER_BYTES } from '../../src/gossip/wire/size.ts'
import { ANY_OF_KINDS, anyMessage } from '../gossip/wire/any-message.ts'
import type { FuzzedDecoder } from './decoder.ts'

const CORPUS_SIZE = 300

/** The body of one kind, behind a header that fits it: so every mutation reaches its reader. */
function bodyDecoder(kind: MessageKind): FuzzedDecoder<Message> {
  const { number } = codecOf({ kind })
  const any = ANY_OF_KINDS[kind] as fc.Arbitrary<Message>
  const encode = (message: Message) => encodeMessages([message]).subarray(MESSAGE_HEADER_BYTES)
  return {
    name: `gossip/${kind}`,
    corpus: (seed) => fc.sample(any, { numRuns: CORPUS_SIZE, seed }).map(encode),
    decode: (body) => {
      const packet = Buffer.alloc(MESSAGE_HEADER_BYTES + body.length)
      packet.writeUInt8(number)
      packet.writeUInt32BE(body.length, 1)
      packet.set(body, MESSAGE_HEADER_BYTES)
      const { messages, unreadable } = decodeMessages(packet)
      if (messages.length + unreadable !== 1) throw new Error('a packet of one message is not one')
      return messages[0]
    },
    encode,
  }
}

const PACKET: FuzzedDecoder<readonly Message[]> = {
  name: 'gossip/packet',
  corpus: (seed) =>
    fc
      .sample(fc.array(anyMessage, { maxLength: 5 }), { numRuns: CORPUS_SIZE, seed })
      .map(encodeMessages),
  decode: (bytes) => decodeMessages(bytes).messages,
  encode: encodeMessages,
}

/** All decoders of gossip's messages. */
export const GOSSIP_DECODERS: readonly FuzzedDecoder[] = [PACKET, ...MESSAGE_KINDS.map(bodyDecoder)]
