import { describe, expect, test } from 'vitest'
import { decodeMessage } from '../../src/mesos/protobuf/decode.ts'
import { RecordioDecoder } from '../../src/mesos/recordio.ts'
import { decodeEvent, isSnapshot, reduceSnapshot } from '../../src/mesos/records.ts'
import { readState } from '../../src/mesos/state/state.ts'
import type { Ip } from '../../src/model/ip.ts'
import { differences } from './differences.ts'
import { captureBytes, captureText } from './fixtures.ts'
import { encodeProto } from './proto/encode.ts'

const JSON_TYPE = 'application/json'
const PROTOBUF = 'application/x-protobuf'

function records(stream: Uint8Array): Uint8Array[] {
  return new RecordioDecoder({ maxRecordBytes: 2 ** 20 }).push(stream)
}

/** Defaults that Mesos' JSON leaves out since their fields are deprecated. */
const DEPRECATED_DEFAULTS = [
  '+subscribed.get_state.get_agents.agents[].agent_info.resources[].role',
  '+subscribed.get_state.get_frameworks.frameworks[].framework_info.role',
  '+task_added.task.resources[].role',
]

/** What is not even decoded. */
const UNREAD = [
  '-framework_updated.framework.framework_info.checkpoint',
  '-framework_updated.framework.framework_info.failover_timeout',
  '-subscribed.get_state.get_agents.agents[].capabilities',
  '-subscribed.get_state.get_agents.agents[].total_resources',
  '-subscribed.get_state.get_executors',
  '-subscribed.get_state.get_frameworks.frameworks[].framework_info.checkpoint',
  '-subscribed.get_state.get_frameworks.frameworks[].framework_info.failover_timeout',
  '-task_added.task.container.docker.force_pull_image',
  '-task_added.task.container.docker.parameters',
  '-task_added.task.container.docker.privileged',
  '-task_added.task.container.mesos',
  '-task_updated.status.data',
  '-task_updated.status.uuid',
]

describe('captures in JSON and protobuf', () => {
  test.for([
    ['agent-api/get_state-normal', '10.0.2.24', 1],
    ['agent-api/get_tasks-networkModes', '198.0.2.1', 3],
  ] as const)('%s give equal tasks', ([file, agentIp, count], ctx) => {
    const json = captureText(ctx, `${file}.json`)
    const decoded = decodeMessage(captureBytes(ctx, `${file}.bin`), 'AgentResponse')
    const whole = asState(decoded)
    expect(readState(JSON.stringify(whole), agentIp as Ip)).toEqual(
      readState(JSON.stringify(asState(JSON.parse(json))), agentIp as Ip),
    )
    expect(readState(JSON.stringify(whole), agentIp as Ip).tasks.size).toBe(count)
  })

  test('the operator stream gives equal events', (ctx) => {
    const json = records(captureBytes(ctx, 'operator-api/operator-api.5abfd7f8.json.recordio'))
    const binary = records(
      captureBytes(ctx, 'operator-api/operator-api.5abfd7f8.protobuf.recordio'),
    )
    expect(binary.length).toBe(json.length)
    const found = binary.map((record, index) =>
      differences(
        decodeEvent(json[index] ?? new Uint8Array(0), JSON_TYPE),
        decodeEvent(record, PROTOBUF),
      ),
    )
    expect([...new Set(found.flat())].sort()).toEqual([...DEPRECATED_DEFAULTS, ...UNREAD])
  })
})

test('the captured SUBSCRIBED gives the same snapshot in JSON and protobuf', async (ctx) => {
  const first = (kind: string) =>
    records(
      captureBytes(ctx, `operator-api/operator-api.5abfd7f8.${kind}.recordio`),
    )[0] as Uint8Array
  const snapshot = await reduceSnapshot(first('json'), JSON_TYPE)
  expect(await reduceSnapshot(first('protobuf'), PROTOBUF)).toEqual(snapshot)
  expect(snapshot).toMatchObject({
    tasks: [],
    agents: [
      { hostname: '172.17.0.4', pid: 'slave(1)@172.17.0.4:5051', port: 5051 },
      { hostname: '172.17.0.3', pid: 'slave(1)@172.17.0.3:5051', port: 5051 },
    ],
    frameworks: [{ id: '30257977-0153-499d-a5b0-35afd842ef4d-0000', name: 'metronome' }],
    heartbeatIntervalMs: 15_000,
    malformed: 0,
  })
})

/** An answer to GET_TASKS as one to GET_STATE. */
function asState(answer: Readonly<Record<string, unknown>>): object {
  if (answer['type'] === 'GET_STATE') return answer
  return { type: 'GET_STATE', get_state: { get_tasks: answer['get_tasks'], get_frameworks: {} } }
}

describe('an event', () => {
  const heartbeat = { type: 'HEARTBEAT' }

  test.for([
    [JSON_TYPE, Buffer.from(JSON.stringify(heartbeat))],
    [PROTOBUF, encodeProto('Event', heartbeat)],
    ['Application/JSON; charset=utf-8', Buffer.from(JSON.stringify(heartbeat))],
  ] as const)('is read as %s', ([contentType, bytes]) => {
    expect(decodeEvent(bytes, contentType)).toEqual(heartbeat)
  })

  test.for([JSON_TYPE, PROTOBUF])('of no bytes says nothing in %s', (contentType) => {
    expect(decodeEvent(new Uint8Array(0), contentType)).toEqual({})
  })

  test('with a byte that is no UTF-8 is read in both', () => {
    const text = Buffer.from('{"type":"AGENT_REMOVED","agent_removed":{"agent_id":{"value":"S?"}}}')
    text[text.indexOf('?')] = 0xff
    const id = { agent_id: { value: 'S\ufffd' } }
    expect(decodeEvent(text, JSON_TYPE)).toEqual({ type: 'AGENT_REMOVED', agent_removed: id })
  })

  test.for([
    ['cut JSON', JSON_TYPE, '{"type":"HEARTB'],
    ['a list', JSON_TYPE, '[]'],
    ['a number', JSON_TYPE, '5'],
    ['null', JSON_TYPE, 'null'],
    ['a trailing comma', JSON_TYPE, '{"type":"HEARTBEAT",}'],
    ['brackets without end', JSON_TYPE, '['.repeat(200_000)],
    ['JSON as protobuf', PROTOBUF, '{"type":"HEARTBEAT"}'],
    ['RecordIO as content type', 'application/recordio', '{}'],
    ['no content type', '', '{}'],
  ] as const)('that is %s is refused', ([, contentType, text]) => {
    expect(() => decodeEvent(Buffer.from(text), contentType)).toThrow(
      expect.objectContaining({ code: 'MESOS_RESPONSE_INVALID' }),
    )
  })
})

describe('SUBSCRIBED', () => {
  test.for([
    ['{"type":"SUBSCRIBED"}', true],
    ['{"subscribed":{"get_state":', true],
    [' { "\\u0074ype" : "SUBSCRIBED" }', true],
    ['{"unknown":[{"type":"SUBSCRIBED"}],"type":"HEARTBEAT"}', false],
    ['{"type":"TASK_ADDED","task_added":{"subscribed":{}}}', false],
    ['{"type":5,"subscribed":{}}', true],
    ['', false],
    ['nonsense', false],
    ['[', false],
  ] as const)('%s: %s', ([text, isIt]) => {
    expect(isSnapshot(Buffer.from(text), JSON_TYPE)).toBe(isIt)
  })

  test.for([
    ['0801', true],
    ['120a', true],
    ['0809', false],
    ['200112', true],
    ['', false],
    ['ff', false],
  ] as const)('%s: %s', ([bytes, isIt]) => {
    expect(isSnapshot(Buffer.from(bytes, 'hex'), PROTOBUF)).toBe(isIt)
  })
})
