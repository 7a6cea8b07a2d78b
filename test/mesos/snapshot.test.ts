import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NavstarError } from '../../src/base/error.ts'
import { TASK_STATES } from '../../src/mesos/protobuf/task-messages.ts'
import { isSnapshot, reduceSnapshot } from '../../src/mesos/records.ts'
import { type RecordFormat, snapshotSteps } from '../../src/mesos/snapshot/reduce.ts'
import type { Snapshot } from '../../src/mesos/snapshot/snapshot.ts'
import { encodeProto } from './proto/encode.ts'

const FORMATS = ['json', 'protobuf'] as const
const CONTENT_TYPE = { json: 'application/json', protobuf: 'application/x-protobuf' } as const

const EMPTY = {
  tasks: [],
  unreachableTasks: [],
  agents: [],
  recoveredAgents: [],
  frameworks: [],
  heartbeatIntervalMs: undefined,
  malformed: 0,
}

function encode(event: object, format: RecordFormat, name = 'Event'): Uint8Array {
  return format === 'json' ? Buffer.from(JSON.stringify(event)) : encodeProto(name, event)
}

/** Reduces at once. */
function reduce(bytes: Uint8Array, format: RecordFormat): Snapshot {
  const steps = snapshotSteps({ bytes, format, source: 'SUBSCRIBED' })
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

function subscribed(state: object, parts: object = {}): object {
  const whole = { get_tasks: {}, get_executors: {}, get_frameworks: {}, get_agents: {}, ...state }
  return { type: 'SUBSCRIBED', subscribed: { get_state: whole, ...parts } }
}

function taskOf(taskId: string, parts: object = {}): object {
  return {
    name: 'web',
    task_id: { value: taskId },
    framework_id: { value: 'f-0' },
    agent_id: { value: 'm-S0' },
    state: 'TASK_RUNNING',
    statuses: [{ task_id: { value: 'other' }, state: 'TASK_STARTING', message: '}]"{[\\' }],
    labels: { labels: [{ key: 'state', value: 'TASK_LOST' }] },
    resources: [{ name: 'ports', type: 'RANGES', ranges: { range: [{ begin: 1, end: 2 }] } }],
    ...parts,
  }
}

const BUSY = subscribed(
  {
    get_tasks: {
      tasks: [taskOf('web.1'), taskOf('wëb "2"', { state: 'TASK_KILLING' })],
      completed_tasks: [taskOf('old', { state: 'TASK_FINISHED' })],
      unreachable_tasks: [taskOf('far', { state: 'TASK_UNREACHABLE' })],
    },
    get_frameworks: {
      frameworks: [{ framework_info: { user: 'u', name: 'marathon', id: { value: 'f-0' } } }],
      completed_frameworks: [{ framework_info: { name: 'gone', id: { value: 'f-1' } } }],
    },
    get_agents: {
      agents: [
        {
          agent_info: { hostname: 'a', port: 5052, id: { value: 'm-S0' } },
          pid: 'slave(1)@10.0.0.1:5052',
        },
      ],
      recovered_agents: [{ hostname: 'b', port: 5051, id: { value: 'm-S1' } }],
    },
  },
  { heartbeat_interval_seconds: 15 },
)

const ids = { frameworkId: 'f-0', agentId: 'm-S0' }

const BUSY_SNAPSHOT: Snapshot = {
  tasks: [
    { ...ids, taskId: 'web.1', state: 'TASK_RUNNING' },
    { ...ids, taskId: 'wëb "2"', state: 'TASK_KILLING' },
  ],
  unreachableTasks: [{ ...ids, taskId: 'far', state: 'TASK_UNREACHABLE' }],
  agents: [{ id: 'm-S0', hostname: 'a', pid: 'slave(1)@10.0.0.1:5052', port: 5052 }],
  recoveredAgents: [{ id: 'm-S1', hostname: 'b', pid: undefined, port: 5051 }],
  frameworks: [{ id: 'f-0', name: 'marathon' }],
  heartbeatIntervalMs: 15_000,
  malformed: 0,
}

function codeOf(bytes: Uint8Array, format: RecordFormat): string | undefined {
  try {
    reduce(bytes, format)
    return undefined
  } catch (error) {
    if (error instanceof NavstarError) return error.code
    throw error
  }
}

describe.for(FORMATS)('a snapshot in %s', (format) => {
  test('keeps who runs where', async () => {
    const bytes = encode(BUSY, format)
    expect(isSnapshot(bytes, CONTENT_TYPE[format])).toBe(true)
    expect(await reduceSnapshot(bytes, CONTENT_TYPE[format])).toEqual(BUSY_SNAPSHOT)
  })

  test('is the same from an answer to GET_STATE', async () => {
    const { subscribed: body } = BUSY as { subscribed: { get_state: object } }
    const answer = { type: 'GET_STATE', get_state: body.get_state }
    const bytes = encode(answer, format, 'MasterResponse')
    const found = await reduceSnapshot(bytes, CONTENT_TYPE[format], { source: 'GET_STATE' })
    expect(found).toEqual({ ...BUSY_SNAPSHOT, heartbeatIntervalMs: undefined })
  })

  test('of an empty cluster is empty', () => {
    expect(reduce(encode(subscribed({}), format), format)).toEqual(EMPTY)
  })

  test.for(['get_tasks', 'get_frameworks', 'get_agents'])('without %s is none', (part) => {
    const bytes = encode(subscribed({ [part]: undefined }), format)
    expect(codeOf(bytes, format)).toBe('MESOS_RESPONSE_INVALID')
  })

  test('counts entries without ids and keeps the others', () => {
    const tasks = [{}, taskOf('no agent', { agent_id: undefined }), taskOf('web.1')]
    const agents = [{}, { agent_info: { hostname: 'a' } }]
    const frameworks = [{ framework_info: { name: 'x' } }]
    const state = { get_tasks: { tasks }, get_agents: { agents }, get_frameworks: { frameworks } }
    expect(reduce(encode(subscribed(state), format), format)).toEqual({
      ...EMPTY,
      tasks: [{ ...ids, taskId: 'web.1', state: 'TASK_RUNNING' }],
      malformed: 5,
    })
  })

  test('knows the default port, and no state that it does not know', () => {
    const task = taskOf('web.1', { state: 'TASK_DREAMING' })
    const agent = { agent_info: { hostname: 'a', id: { value: 'm-S0' } } }
    const state = { get_tasks: { tasks: [task] }, get_agents: { agents: [agent] } }
    expect(reduce(encode(subscribed(state), format), format)).toEqual({
      ...EMPTY,
      tasks: [{ ...ids, taskId: 'web.1', state: undefined }],
      agents: [{ id: 'm-S0', hostname: 'a', pid: undefined, port: 5051 }],
    })
  })

  test('that is cut anywhere is none', () => {
    const bytes = encode(BUSY, format)
    const codes = new Set<string | undefined>()
    // Protobuf says nothing before the body: from there on only the whole is whole.
    for (let end = 0; end < bytes.length; end++) codes.add(codeOf(bytes.subarray(0, end), format))
    expect([...codes]).toEqual(['MESOS_RESPONSE_INVALID'])
  })

  test('lets others have their turn, and ends when aborted', async () => {
    const tasks = Array.from({ length: 3000 }, (_, index) => taskOf(`web.${index}`))
    const bytes = encode(subscribed({ get_tasks: { tasks } }), format)
    const steps = snapshotSteps({ bytes, format, source: 'SUBSCRIBED' })
    let turns = 0
    while (steps.next().done !== true) turns++
    expect(turns).toBeGreaterThan(2)
    const found = reduceSnapshot(bytes, CONTENT_TYPE[format], { signal: AbortSignal.abort() })
    await expect(found).rejects.toThrow('aborted')
    expect((await reduceSnapshot(bytes, CONTENT_TYPE[format])).tasks).toHaveLength(3000)
  })

  test('of any tasks is those tasks', () => {
    const id = fc.string({ unit: 'grapheme', maxLength: 12 })
    const any = fc.record({
      frameworkId: id,
      taskId: id,
      agentId: id,
      state: fc.constantFrom(...TASK_STATES.values()),
    })
    fc.assert(
      fc.property(fc.array(any), (tasks) => {
        const messages = tasks.map((task) => ({
          state: task.state,
          agent_id: { value: task.agentId },
          task_id: { value: task.taskId },
          name: task.taskId,
          framework_id: { value: task.frameworkId },
        }))
        const bytes = encode(subscribed({ get_tasks: { tasks: messages } }), format)
        expect(reduce(bytes, format)).toEqual({ ...EMPTY, tasks })
      }),
    )
  })
})

describe('JSON of a snapshot', () => {
  const text = JSON.stringify(BUSY)

  test.for([
    ['white space', JSON.stringify(BUSY, undefined, '\t\n')],
    [
      'escapes in keys and values',
      text.replaceAll('value', '\\u0076alue').replaceAll('ë', '\\u00eb'),
    ],
    ['keys in reverse', JSON.stringify(reversed(BUSY))],
    ['slashes as PHP writes them', text.replaceAll('/', '\\/')],
  ] as const)('may have %s', ([, written]) => {
    expect(reduce(Buffer.from(written), 'json')).toMatchObject({
      agents: BUSY_SNAPSHOT.agents,
      recoveredAgents: BUSY_SNAPSHOT.recoveredAgents,
      frameworks: BUSY_SNAPSHOT.frameworks,
      tasks: BUSY_SNAPSHOT.tasks,
    })
  })

  test.for([
    ['something after it', `${text}x`],
    ['the wrong bracket', text.replace('"completed_tasks":[', '"completed_tasks":{')],
    ['two values for a key', text.replace('"SUBSCRIBED"', '"SUBSCRIBED" 5')],
    ['no colon', text.replace('"get_tasks":', '"get_tasks" ')],
    ['a key without quotes', text.replace('"get_tasks"', 'get_tasks')],
    ['an escape that is none', text.replace('web.1', 'web\\x1')],
    ['a number that is none', text.replace('5052', '5-05-2')],
    ['a closing bracket more', text.replace('"get_executors":{}', '"get_executors":{}}')],
    ['endless brackets', `{"x":${'['.repeat(500)}`],
    ['nothing', ''],
    ['a list', '[]'],
  ] as const)('is refused with %s', ([, written]) => {
    expect(codeOf(Buffer.from(written), 'json')).toBe('MESOS_RESPONSE_INVALID')
  })

  test('passes over what is not of the kind that it should be', () => {
    const odd = { tasks: 5, unreachable_tasks: {} }
    const agents = { agents: [7, 'x', [], null], recovered_agents: null }
    const state = { get_tasks: odd, get_agents: agents, get_frameworks: { frameworks: true } }
    const bytes = encode(subscribed(state, { heartbeat_interval_seconds: '15' }), 'json')
    expect(reduce(bytes, 'json')).toEqual(EMPTY)
  })
})

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).reverse()
  return Object.fromEntries(entries.map(([key, part]) => [key, reversed(part)]))
}
