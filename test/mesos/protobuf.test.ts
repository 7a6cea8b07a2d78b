import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NavstarError } from '../../src/base/error.ts'
import { AGENT_RESPONSE, EVENT, MASTER_RESPONSE } from '../../src/mesos/protobuf/answer-messages.ts'
import { MASTER_INFO } from '../../src/mesos/protobuf/cluster-messages.ts'
import { decodeMessage, type RootMessage } from '../../src/mesos/protobuf/decode.ts'
import type { MessageType } from '../../src/mesos/protobuf/schema.ts'
import { captureBytes } from './fixtures.ts'
import { anyMessage, withDefaults } from './proto/any-message.ts'
import { encodeProto, protoOf } from './proto/encode.ts'

const ROOTS: readonly (readonly [RootMessage, MessageType])[] = [
  ['Event', EVENT],
  ['AgentResponse', AGENT_RESPONSE],
  ['MasterResponse', MASTER_RESPONSE],
  ['MasterInfo', MASTER_INFO],
]

/** The code of what decoding throws; undefined when it does not. Anything else fails the test. */
function codeOf(bytes: Uint8Array, root: RootMessage = 'Event'): string | undefined {
  try {
    decodeMessage(bytes, root)
    return undefined
  } catch (error) {
    if (error instanceof NavstarError) return error.code
    throw error
  }
}

function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
}

/** A message around another: the field's number and the bytes inside. */
function wrap(number: number, inner: Uint8Array): Uint8Array {
  const length: number[] = []
  for (let rest = inner.length; ; rest >>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest)
    if (rest <= 127) break
  }
  return Uint8Array.from(Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), inner]))
}

/** What decoding gives of a task with these parts. */
function task(parts: object): unknown {
  const bytes = encodeProto('Event', { type: 'TASK_ADDED', task_added: { task: parts } })
  return decodeMessage(bytes, 'Event')['task_added']
}

describe('protobuf', () => {
  test.for(ROOTS)('any %s is read as another library wrote it', ([root, type]) => {
    fc.assert(
      fc.property(anyMessage(type), (message) => {
        const decoded = decodeMessage(encodeProto(root, message), root)
        expect(decoded).toEqual(withDefaults(message, type, protoOf(root)))
      }),
      { numRuns: 100 },
    )
  })

  test('defaults that proto2 declares are filled in where the message is there', () => {
    const found = task({
      container: { docker: { image: 'nginx' }, network_infos: [{ ip_addresses: [{}] }] },
      resources: [{ name: 'cpus' }],
      health_check: {},
    })
    expect(found).toEqual({
      task: {
        container: {
          docker: { image: 'nginx', network: 'HOST' },
          network_infos: [{ ip_addresses: [{ protocol: 'IPv4' }] }],
        },
        resources: [{ name: 'cpus', role: '*' }],
        health_check: {
          delay_seconds: 15,
          interval_seconds: 10,
          timeout_seconds: 20,
          consecutive_failures: 3,
          grace_period_seconds: 10,
        },
      },
    })
    const agent = { type: 'AGENT_ADDED', agent_added: { agent: { agent_info: {} } } }
    expect(decodeMessage(encodeProto('Event', agent), 'Event')).toEqual({
      type: 'AGENT_ADDED',
      agent_added: { agent: { agent_info: { port: 5051 } } },
    })
    expect(decodeMessage(new Uint8Array(0), 'MasterInfo')).toEqual({ port: 5050 })
  })

  test('what is set beats the default, and zero is a state', () => {
    expect(
      task({
        state: 'TASK_STARTING',
        container: { network_infos: [{ ip_addresses: [{ protocol: 'IPv6' }] }] },
        resources: [{ role: 'public' }],
      }),
    ).toEqual({
      task: {
        state: 'TASK_STARTING',
        container: { network_infos: [{ ip_addresses: [{ protocol: 'IPv6' }] }] },
        resources: [{ role: 'public' }],
      },
    })
  })

  test('empty messages are there, empty lists are not', () => {
    const found = task({ labels: { labels: [] }, discovery: { ports: {} }, statuses: [] })
    expect(found).toEqual({ task: { labels: {}, discovery: { ports: {} } } })
  })

  test.for([
    [
      'an unknown field of each wire type',
      '9006 01  9106 0102030405060708  9206 02 ffff  9506 01020304',
    ],
    ['an unknown group with a field and a group inside', '9306 9806 01 9b06 9c06 9406'],
    ['an unknown event type', '08 63'],
    ['a known field of another wire type', '0d 01000000'],
    ['a field with the largest number', 'f8ffffff0f 01'],
  ] as const)('%s is passed over', ([, bytes]) => {
    const removed = wrap(6, wrap(1, wrap(1, Buffer.from('S1'))))
    const around = Uint8Array.of(...hex(bytes), ...removed, ...hex(bytes))
    expect(decodeMessage(around, 'Event')).toEqual({ agent_removed: { agent_id: { value: 'S1' } } })
  })

  test('an unknown enum value counts as unset, so the default holds', () => {
    // A task (3.1) with a container (13) that has networks (7) with an address (5) of protocol 9.
    const address = wrap(5, hex('08 09'))
    const bytes = wrap(3, wrap(1, wrap(13, wrap(7, address))))
    expect(decodeMessage(bytes, 'Event')).toEqual({
      task_added: {
        task: { container: { network_infos: [{ ip_addresses: [{ protocol: 'IPv4' }] }] } },
      },
    })
  })

  test('of two values the last holds, and two messages are one', () => {
    const first = wrap(6, wrap(1, wrap(1, Buffer.from('S1'))))
    const second = wrap(6, hex(''))
    expect(decodeMessage(Uint8Array.of(0x08, 5, ...first, 0x08, 9, ...second), 'Event')).toEqual({
      type: 'HEARTBEAT',
      agent_removed: { agent_id: { value: 'S1' } },
    })
  })

  test.for([
    [
      'nanoseconds beyond 2^53',
      { nanoseconds: '1540582871167564032' },
      Number('1540582871167564032'),
    ],
    ['minus one', { nanoseconds: -1 }, -1],
    ['the least', { nanoseconds: '-9223372036854775808' }, -(2 ** 63)],
    ['a number of 33 bits', { nanoseconds: 4_294_967_297 }, 4_294_967_297],
  ] as const)('%s is read as JSON has it', ([, registered_time, nanoseconds]) => {
    const agent = { agent_added: { agent: { registered_time } } }
    expect(decodeMessage(encodeProto('Event', agent), 'Event')).toEqual({
      agent_added: { agent: { registered_time: { nanoseconds } } },
    })
  })

  test('text that is no UTF-8 does not cost the message', () => {
    const bytes = wrap(6, wrap(1, wrap(1, hex('53 ff 31'))))
    expect(decodeMessage(bytes, 'Event')).toEqual({
      agent_removed: { agent_id: { value: 'S\ufffd1' } },
    })
  })

  test('containers may be nested as deep as messages may, and not deeper', () => {
    const nestedIds = (levels: number): Uint8Array => {
      let id: Uint8Array = wrap(1, Buffer.from('root'))
      for (let level = 0; level < levels; level++) id = wrap(2, id)
      return wrap(10, wrap(1, wrap(4, id)))
    }
    expect(codeOf(nestedIds(97), 'AgentResponse')).toBeUndefined()
    expect(codeOf(nestedIds(98), 'AgentResponse')).toBe('MESOS_RESPONSE_INVALID')
    expect(codeOf(nestedIds(3000), 'AgentResponse')).toBe('MESOS_RESPONSE_INVALID')
  })

  test('groups are not followed without end', () => {
    const groups = new Uint8Array(100_000).fill(0x7b)
    expect(codeOf(groups)).toBe('MESOS_RESPONSE_INVALID')
  })

  test.for([
    ['field number zero', '00 01'],
    ['a tag of more than 32 bits', 'ffffffffff01 01'],
    ['wire type 6', '0e 01'],
    ['wire type 7', '9706'],
    ['an end of a group that never began', '9406'],
    ['a group that ends as another', '9306 9c06'],
    ['a number of eleven bytes', '08 ffffffffffffffffffff01'],
    ['a number that is cut off', '08 80'],
    ['a length beyond the end', '1a 05 0a 01'],
    ['a length beyond the message around it', '1a 02 0a 05 00 00 00 00 00'],
    ['a length of 2^63', '1a 80808080808080808001'],
    ['a length of -1', '1a ffffffffffffffffff01'],
    ['a double that is cut off', '12 05 11 00000000'],
    ['an unknown field that is cut off', '9506 0102'],
  ] as const)('%s is refused', ([, bytes]) => {
    expect(codeOf(hex(bytes))).toBe('MESOS_RESPONSE_INVALID')
  })

  test('a capture that is cut anywhere gives less or nothing, never another error', (ctx) => {
    const bytes = captureBytes(ctx, 'agent-api/get_tasks-networkModes.bin')
    const codes = new Set<string | undefined>()
    for (let end = 3; end < bytes.length; end++) {
      codes.add(codeOf(bytes.subarray(0, end), 'AgentResponse'))
    }
    // All tasks are in one message, so that none of its prefixes is whole.
    expect([...codes]).toEqual(['MESOS_RESPONSE_INVALID'])
  })

  test('MasterInfo of ZooKeeper’s old nodes is read', (ctx) => {
    const bytes = captureBytes(ctx, 'zk/info_old-format.MasterInfo.pb')
    expect(decodeMessage(bytes, 'MasterInfo')).toEqual({
      id: '20140623-174033-177048842-5050-6160',
      ip: 177048842,
      port: 5050,
      pid: 'master@10.141.141.10:5050',
      hostname: 'mesos.vm',
    })
  })
})
