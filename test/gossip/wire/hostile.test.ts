import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Delta, Message, MessageKind } from '../../../src/gossip/engine/messages.ts'
import { decodeMessages, encodeMessages } from '../../../src/gossip/wire/codec.ts'
import { MESSAGE_KINDS } from '../../../src/gossip/wire/kinds.ts'
import { MOST_KEY_BYTES, MOST_VALUE_BYTES } from '../../../src/gossip/wire/record.ts'
import type { NodeId } from '../../../src/model/node-id.ts'
import { ANY_OF_KINDS } from './any-message.ts'

const node = '000102030405060708090a0b0c0d0e0f' as NodeId
const ping: Message = { kind: 'ping', sequence: 1, digest: { high: 2, low: 3 } }

/** A message of this number with these bytes of body. */
function packetOf(number: number, body: Uint8Array): Uint8Array {
  const header = Buffer.alloc(5)
  header.writeUInt8(number)
  header.writeUInt32BE(body.length, 1)
  return Buffer.concat([header, body])
}

/** A packet of two messages whose first was changed: the second is still read. */
function decodeBeforePing(first: Uint8Array): { isRead: boolean; unreadable: number } {
  const packet = Buffer.concat([first, encodeMessages([ping])])
  const { messages, unreadable } = decodeMessages(packet)
  expect(messages.at(-1)).toEqual(ping)
  return { isRead: messages.length === 2, unreadable }
}

test('nothing is read from no bytes', () => {
  expect(decodeMessages(new Uint8Array(0))).toEqual({ messages: [], unreadable: 0 })
})

test('any bytes are read without an exception', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const { messages, unreadable } = decodeMessages(bytes)
      expect(messages.length + unreadable).toBeLessThanOrEqual(bytes.length)
    }),
    { numRuns: 1000 },
  )
})

const EMPTY: readonly MessageKind[] = ['prune', 'sync-end', 'hint']

test.for(MESSAGE_KINDS.filter((kind) => !EMPTY.includes(kind)))(
  'a %s that ends early is unreadable, what follows is read',
  (kind) => {
    fc.assert(
      fc.property(ANY_OF_KINDS[kind] as fc.Arbitrary<Message>, fc.nat(), (message, seed) => {
        const whole = encodeMessages([message])
        const body = whole.subarray(5, 5 + (seed % (whole.length - 5)))
        expect(decodeBeforePing(packetOf(whole[0] ?? 0, body))).toEqual({
          isRead: false,
          unreadable: 1,
        })
      }),
    )
  },
)

test.for(MESSAGE_KINDS)('bytes behind the fields of a %s are skipped', (kind) => {
  fc.assert(
    fc.property(
      ANY_OF_KINDS[kind] as fc.Arbitrary<Message>,
      fc.uint8Array({ maxLength: 40 }),
      (message, more) => {
        const whole = encodeMessages([message])
        const body = Buffer.concat([whole.subarray(5), more])
        const packet = Buffer.concat([packetOf(whole[0] ?? 0, body), encodeMessages([ping])])
        expect(decodeMessages(packet)).toEqual({ messages: [message, ping], unreadable: 0 })
      },
    ),
    { numRuns: 30 },
  )
})

test.for([0, 21, 100, 255])('messages of the unknown kind %i are skipped', (number) => {
  const unknown = packetOf(number, new Uint8Array(33))
  expect(decodeBeforePing(unknown)).toEqual({ isRead: false, unreadable: 0 })
})

test.for([
  ['a header that ends early', Uint8Array.of(1, 0, 0)],
  ['a length beyond the packet', Uint8Array.of(11, 0, 0, 0, 1)],
  ['the largest length', Uint8Array.of(7, 255, 255, 255, 255, 1, 2, 3)],
] as const)('%s ends the reading and counts once', ([, bytes]) => {
  const packet = Buffer.concat([encodeMessages([ping]), bytes])
  expect(decodeMessages(packet)).toEqual({ messages: [ping], unreadable: 1 })
})

const HEAD = Buffer.alloc(129 + 8 + 8 + 4)

test.for([
  ['records of a delta', 7, Buffer.concat([HEAD, Buffer.alloc(4, 0xff), Buffer.alloc(60)])],
  ['entries of a have', 8, Buffer.from('ffff', 'hex')],
  ['entries of a want', 9, Buffer.from(`00ffff${node}`, 'hex')],
  ['nodes of a want-members', 10, Buffer.from(`ffff${node}`, 'hex')],
  ['ranges of a sync-ranges', 13, Buffer.from('ff', 'hex')],
  ['ranges of a sync-rows', 14, Buffer.from('ffff0001', 'hex')],
  ['rows of a sync-rows', 14, Buffer.from('0000ffffffff', 'hex')],
  ['announcements of a welcome', 16, Buffer.concat([Buffer.of(255), Buffer.alloc(150)])],
] as const)('more %s than there are bytes for are not read', ([, number, body]) => {
  expect(decodeBeforePing(packetOf(number, body))).toEqual({ isRead: false, unreadable: 1 })
})

test.for([
  ['a flag of 2', 4, '0000000902'],
  ['a version of 2^53', 8, `0001${node}0020000000000000`],
  ['a version of 2^64 − 1', 8, `0001${node}ffffffffffffffff`],
  ['a range digit of 16', 13, `0110${'00'.repeat(128)}`],
  ['17 bucket bits', 7, `${node}${'00'.repeat(16)}11${'00'.repeat(96 + 24)}`],
] as const)('%s is unreadable', ([, number, hex]) => {
  const packet = packetOf(number, Buffer.from(hex, 'hex'))
  expect(decodeBeforePing(packet)).toEqual({ isRead: false, unreadable: 1 })
})

/** A delta of one record with this key and value. */
function deltaOf(key: string, value: Uint8Array): Delta {
  const head = {
    kind: 'head',
    node,
    version: 1,
    floor: 0,
    bucketBits: 0,
    digest: new Uint8Array(32),
    signature: new Uint8Array(64),
  } as const
  const record = { kind: 1, schema: 1, key, version: 1, isDeleted: false, value }
  return { kind: 'delta', head, from: 0, through: 1, ageMs: 0, records: [record] }
}

test.for([
  ['a key of 512 bytes', 'ä'.repeat(MOST_KEY_BYTES / 2), 0, true],
  ['a key of 513 bytes', `${'ä'.repeat(MOST_KEY_BYTES / 2)}x`, 0, false],
  ['a value of 1 MiB', 'k', MOST_VALUE_BYTES, true],
  ['a value of 1 MiB and a byte', 'k', MOST_VALUE_BYTES + 1, false],
] as const)('%s is read: %4$s', ([, key, valueBytes, isRead]) => {
  const packet = encodeMessages([deltaOf(key, new Uint8Array(valueBytes))])
  expect(decodeBeforePing(packet)).toEqual({ isRead, unreadable: isRead ? 0 : 1 })
})

test.for([
  ['a lone continuation byte', '80'],
  ['an overlong form', 'c0af'],
  ['a surrogate', 'eda080'],
  ['a character cut short', 'e282'],
] as const)('a key with %s is unreadable', ([, hex]) => {
  const bytes = Buffer.from(hex, 'hex')
  const packet = encodeMessages([deltaOf('x'.repeat(bytes.length), new Uint8Array(0))])
  bytes.copy(packet, packet.length - 4 - bytes.length)
  expect(decodeBeforePing(packet)).toEqual({ isRead: false, unreadable: 1 })
})

test('a deleted record with a value is unreadable', () => {
  const packet = encodeMessages([deltaOf('k', Uint8Array.of(1))])
  const flagAt = 5 + 129 + 8 + 8 + 4 + 4 + 4
  expect(packet[flagAt]).toBe(0)
  packet[flagAt] = 1
  expect(decodeBeforePing(packet)).toEqual({ isRead: false, unreadable: 1 })
})

test('a key that begins with a byte order mark keeps it', () => {
  const delta = deltaOf('\ufeffk', new Uint8Array(0))
  expect(decodeMessages(encodeMessages([delta])).messages).toEqual([delta])
})
