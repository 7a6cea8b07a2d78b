import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Message } from '../../../src/gossip/engine/messages.ts'
import type { Announcement } from '../../../src/gossip/engine/statements.ts'
import { decodeMessages, encodeMessages } from '../../../src/gossip/wire/codec.ts'
import { codecOf, MESSAGE_KINDS } from '../../../src/gossip/wire/kinds.ts'
import { recordBytes, recordSize } from '../../../src/gossip/wire/record.ts'
import { messageSize } from '../../../src/gossip/wire/size.ts'
import type { NodeId } from '../../../src/model/node-id.ts'
import { ANY_OF_KINDS, anyMessage, anyRecord } from './any-message.ts'

const node = '000102030405060708090a0b0c0d0e0f' as NodeId

test.for(MESSAGE_KINDS)('a message of kind %s reads back as it was written', (kind) => {
  fc.assert(
    fc.property(ANY_OF_KINDS[kind] as fc.Arbitrary<Message>, (message) => {
      expect(decodeMessages(encodeMessages([message]))).toEqual({
        messages: [message],
        unreadable: 0,
      })
    }),
  )
})

test('messages read back in their order', () => {
  fc.assert(
    fc.property(fc.array(anyMessage, { maxLength: 8 }), (messages) => {
      expect(decodeMessages(encodeMessages(messages))).toEqual({ messages, unreadable: 0 })
    }),
  )
})

test('the size of a message is the number of its bytes', () => {
  fc.assert(
    fc.property(anyMessage, (message) => {
      expect(messageSize(message)).toBe(encodeMessages([message]).length)
    }),
    { numRuns: 500 },
  )
})

test('kinds have different numbers, from 1', () => {
  const numbers = MESSAGE_KINDS.map((kind) => codecOf({ kind }).number)
  expect(numbers.toSorted((one, other) => one - other)).toEqual(
    MESSAGE_KINDS.map((_, index) => index + 1),
  )
})

test('a record is the same bytes alone and in a delta', () => {
  fc.assert(
    fc.property(ANY_OF_KINDS.delta, anyRecord, (delta, record) => {
      const whole = encodeMessages([{ ...delta, records: [record] }])
      const alone = recordBytes(record)
      expect(whole.slice(-alone.length)).toEqual(alone)
      expect(recordSize(record)).toBe(alone.length)
    }),
  )
})

test('what was read does not change with the bytes that it was read from', () => {
  fc.assert(
    fc.property(anyMessage, (message) => {
      const bytes = encodeMessages([message])
      const { messages } = decodeMessages(bytes)
      bytes.fill(0xaa)
      expect(messages).toEqual([message])
    }),
  )
})

test('messages are read from within a larger buffer', () => {
  const bytes = encodeMessages([{ kind: 'ping-request', sequence: 7, subject: node }])
  const larger = Buffer.concat([Buffer.alloc(3), bytes, Buffer.alloc(9)])
  expect(decodeMessages(larger.subarray(3, 3 + bytes.length)).messages).toHaveLength(1)
})

const ANNOUNCEMENT: Announcement = {
  kind: 'announcement',
  node,
  publicKey: new Uint8Array(32).fill(0x11),
  endpoint: { address: '10.0.0.1' as never, port: 0xf425 },
  incarnation: 2 ** 32 + 5,
  isLeaving: true,
  certificate: new Uint8Array([0xca, 0xfe]),
  signature: new Uint8Array(64).fill(0x22),
}

const ANNOUNCEMENT_HEX = `${node} ${'11'.repeat(32)} 00000000000000000000ffff0a000001 f425
     0000000100000005 01 0002cafe ${'22'.repeat(64)}`

/** The bytes of `docs/gossip.md`, written by hand. */
const GOLDEN: readonly (readonly [Message, string])[] = [
  [
    { kind: 'ping', sequence: 0x01020304, digest: { high: 0xa0000001, low: 0xb0000002 } },
    '01 0000000c 01020304 a0000001b0000002',
  ],
  [
    { kind: 'ack', sequence: 1, digest: { high: 2, low: 3 } },
    '02 0000000c 00000001 0000000200000003',
  ],
  [{ kind: 'ping-request', sequence: 9, subject: node }, `03 00000014 00000009 ${node}`],
  [{ kind: 'ping-report', sequence: 9, isAnswered: true }, '04 00000005 00000009 01'],
  [ANNOUNCEMENT, `05 0000008f ${ANNOUNCEMENT_HEX}`],
  [
    {
      kind: 'accusation',
      subject: node,
      incarnation: 1,
      accuser: node,
      signature: new Uint8Array(64),
    },
    `06 00000068 ${node} 0000000000000001 ${node} ${'00'.repeat(64)}`,
  ],
  [
    {
      kind: 'delta',
      head: {
        kind: 'head',
        node,
        version: 2 ** 53 - 1,
        floor: 3,
        bucketBits: 2,
        digest: new Uint8Array(32).fill(0x33),
        signature: new Uint8Array(64).fill(0x44),
      },
      from: 4,
      through: 5,
      ageMs: 6,
      records: [
        {
          kind: 1,
          schema: 2,
          key: 'ä',
          version: 8,
          isDeleted: false,
          value: new Uint8Array([0xde, 0xad]),
        },
      ],
    },
    `07 000000b0 ${node} 001fffffffffffff 0000000000000003 02 ${'33'.repeat(32)} ${'44'.repeat(64)}
     0000000000000004 0000000000000005 00000006 00000001
     0001 0002 00 0000000000000008 0002c3a4 00000002dead`,
  ],
  [{ kind: 'have', entries: [{ node, version: 7 }] }, `08 0000001a 0001 ${node} 0000000000000007`],
  [
    { kind: 'want', isGraft: true, entries: [{ node, held: 7, isStaged: true }] },
    `09 0000001c 01 0001 ${node} 0000000000000007 01`,
  ],
  [{ kind: 'want-members', nodes: [node] }, `0a 00000012 0001 ${node}`],
  [{ kind: 'prune' }, '0b 00000000'],
  [
    { kind: 'sync-open', digests: Array.from({ length: 16 }, () => ({ high: 1, low: 2 })) },
    `0c 00000080 ${'0000000100000002'.repeat(16)}`,
  ],
  [
    {
      kind: 'sync-ranges',
      ranges: [{ digit: 15, digests: Array.from({ length: 16 }, () => ({ high: 1, low: 2 })) }],
    },
    `0d 00000082 01 0f ${'0000000100000002'.repeat(16)}`,
  ],
  [
    {
      kind: 'sync-rows',
      ranges: [1, 255],
      rows: [{ node, incarnation: 1, isAccused: true, held: 2 }],
    },
    `0e 00000029 0002 01ff 00000001 ${node} 0000000000000001 01 0000000000000002`,
  ],
  [{ kind: 'join', announcement: ANNOUNCEMENT }, `0f 0000008f ${ANNOUNCEMENT_HEX}`],
  [{ kind: 'welcome', announcements: [ANNOUNCEMENT] }, `10 00000090 01 ${ANNOUNCEMENT_HEX}`],
  [{ kind: 'sync-end' }, '11 00000000'],
  [{ kind: 'hint' }, '12 00000000'],
  [
    {
      kind: 'eviction',
      subject: node,
      incarnation: 2 ** 32 + 5,
      issuer: node,
      signature: new Uint8Array(64).fill(0x22),
    },
    `13 00000068 ${node} 0000000100000005 ${node} ${'22'.repeat(64)}`,
  ],
  [{ kind: 'agent-gone', agent: 'a-S1' }, '14 00000006 0004 612d5331'],
]

test.for(GOLDEN)('$0.kind has the bytes of the specification', ([message, hex]) => {
  const bytes = Buffer.from(hex.replaceAll(/\s/g, ''), 'hex')
  expect(Buffer.from(encodeMessages([message])).toString('hex')).toBe(bytes.toString('hex'))
  expect(decodeMessages(bytes)).toEqual({ messages: [message], unreadable: 0 })
})

test.for([
  ['a sequence beyond 32 bits', { kind: 'ping-report', sequence: 2 ** 32, isAnswered: true }],
  ['a negative version', { kind: 'have', entries: [{ node, version: -1 }] }],
  ['a version beyond 2^53', { kind: 'have', entries: [{ node, version: 2 ** 53 }] }],
  ['a fraction', { kind: 'have', entries: [{ node, version: 0.5 }] }],
  ['too many entries', { kind: 'want-members', nodes: Array.from({ length: 65_536 }, () => node) }],
] as const)('%s is not written as something else', ([, message]) => {
  expect(() => encodeMessages([message])).toThrow(RangeError)
})
