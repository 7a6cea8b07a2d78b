import { describe, expect, test } from 'vitest'
import { MasterFacts } from '../../src/mesos/master/facts.ts'
import { readMasterEvent } from '../../src/mesos/master/master-event.ts'
import { decodeMessage } from '../../src/mesos/protobuf/decode.ts'
import { RecordioDecoder } from '../../src/mesos/recordio.ts'
import { decodeEvent, isSnapshot } from '../../src/mesos/records.ts'
import { readState } from '../../src/mesos/state/state.ts'
import type { Ip } from '../../src/model/ip.ts'
import type { Task } from '../../src/model/task.ts'
import { AGENT_IP, captureBytes, captureText, readThroughAgent } from './fixtures.ts'

const FOO = '384d6e5b-d578-433c-a7b2-691508695dbe-0001'
const MODES = '6bd07876-31d8-4c11-b94c-e4dd51915ae3-0001'

interface CaptureCase {
  readonly file: string
  readonly agentIp: string
  readonly tasks: readonly Omit<Task, 'key' | 'agentIp'>[]
  readonly skipped?: readonly string[]
}

const running = { phase: 'running', health: 'healthy' } as const
const ports = (...list: readonly object[]) => list as unknown as Task['ports']
const addresses = (...list: readonly string[]) => list as unknown as Task['addresses']

const CASES: readonly CaptureCase[] = [
  {
    file: 'agent-api/get_state-normal.json',
    agentIp: '10.0.2.24',
    tasks: [
      {
        ...running,
        id: 'task.id',
        frameworkId: 'framework.id',
        frameworkName: 'framework',
        name: 'task',
        runtime: 'mesos',
        addresses: addresses('10.0.2.24'),
        ports: [],
      },
    ],
  },
  {
    file: 'agent-api/get_tasks-networkModes.json',
    agentIp: '198.0.2.1',
    tasks: [
      {
        ...running,
        id: 'test-host-mode.instance-e465ae75-993b-11e9-83f2-06bbd400330a._app.36',
        frameworkId: MODES,
        frameworkName: 'marathon',
        name: 'test-host-mode',
        runtime: 'mesos',
        addresses: addresses('198.0.2.1'),
        ports: ports({ protocol: 'tcp', port: 7070, name: 'http', vips: [] }),
      },
      {
        ...running,
        id: 'test-container-mode.instance-e8314b83-9932-11e9-83f2-06bbd400330a._app.1',
        frameworkId: MODES,
        frameworkName: 'marathon',
        name: 'test-container-mode',
        runtime: 'mesos',
        addresses: addresses('198.0.2.3'),
        ports: ports({ protocol: 'tcp', port: 9090, name: 'prometheus', vips: [] }),
      },
      {
        ...running,
        id: 'test-bridged-mode.instance-8a6f2224-993b-11e9-83f2-06bbd400330a._app.1',
        frameworkId: MODES,
        frameworkName: 'marathon',
        name: 'test-bridged-mode',
        runtime: 'mesos',
        addresses: addresses('198.0.2.2'),
        ports: ports({ protocol: 'tcp', port: 8080, hostPort: 8080, name: 'http', vips: [] }),
      },
    ],
  },
  {
    file: 'state/state6.a1079d0d.json',
    agentIp: '172.18.0.3',
    tasks: [
      {
        ...running,
        id: 'nginx.b70993db-d652-11e7-901d-70b3d5800001',
        frameworkId: '01b277a1-51e3-49f9-a7d5-04afa39b7cd2-0001',
        frameworkName: 'marathon',
        name: 'nginx',
        runtime: 'docker',
        // TASK_STARTING says 172.18.0.3, the agent's.
        addresses: addresses('9.0.1.130'),
        ports: ports({ protocol: 'tcp', port: 80, name: 'nginx', vips: ['1.2.3.4:80'] }),
      },
    ],
  },
  {
    file: 'state/ucr-bridge-mode.d3e3875f.json',
    agentIp: '10.0.2.5',
    tasks: [
      {
        ...running,
        id: 'foo-1.272b2208-6b16-11e7-b302-3edf0088f09a',
        frameworkId: FOO,
        frameworkName: 'marathon',
        name: 'foo-1',
        runtime: 'docker',
        addresses: addresses('172.17.0.2'),
        ports: ports({ protocol: 'tcp', port: 80, hostPort: 21768, vips: ['/foo-1:5000'] }),
      },
      {
        ...running,
        id: 'foo.296ecd47-6b12-11e7-b302-3edf0088f09a',
        frameworkId: FOO,
        frameworkName: 'marathon',
        name: 'foo',
        runtime: 'mesos',
        addresses: addresses('172.31.254.2'),
        ports: ports({ protocol: 'tcp', port: 80, hostPort: 29025, vips: ['/foo:5000'] }),
      },
    ],
  },
  {
    file: 'state/overlay.4490097e.json',
    agentIp: '10.0.1.248',
    tasks: [
      {
        ...running,
        id: 'http-1.57d78934-81b7-11e6-a58a-36c411325d20',
        frameworkId: 'c17b14a7-c3d1-4dcf-920a-685b85b2ed67-0000',
        frameworkName: 'marathon',
        name: 'http-1',
        runtime: 'docker',
        addresses: addresses('9.0.1.130'),
        ports: ports({ protocol: 'tcp', port: 80, name: 'http', vips: ['1.2.3.4:5000'] }),
      },
    ],
  },
  {
    file: 'state/state4.abc58e8b.json',
    agentIp: '10.0.0.243',
    tasks: [
      {
        ...running,
        id: 'catsmeow.1d28d7c0-1f1c-11e6-bc04-4e40412869d8',
        frameworkId: 'f4770901-e0bf-4e93-ada6-8a824fd22844-0000',
        frameworkName: 'marathon',
        name: 'catsmeow',
        runtime: 'mesos',
        addresses: addresses('10.0.0.243'),
        ports: ports({ protocol: 'tcp', port: 26645, name: 'http', vips: ['1.2.3.4:5000'] }),
      },
    ],
  },
]

const STREAM_TASKS: readonly string[] = [
  'docker-on-bridge TASK_RUNNING on S0',
  'docker-on-dcos TASK_RUNNING on S0',
  'docker-on-host TASK_RUNNING on S0',
  'none-on-dcos TASK_RUNNING on S0',
  'none-on-host TASK_RUNNING on S0',
  'ucr-on-bridge TASK_RUNNING on S1',
  'ucr-on-dcos TASK_RUNNING on S1',
  'ucr-on-host TASK_RUNNING on S1',
]

/** An answer to GET_TASKS as one to GET_STATE. */
function asState(answer: Readonly<Record<string, unknown>>): object {
  if (answer['type'] === 'GET_STATE') return answer
  return { type: 'GET_STATE', get_state: { get_tasks: answer['get_tasks'], get_frameworks: {} } }
}

describe('captured state', () => {
  test.for(CASES)('$file gives its tasks', async ({ file, agentIp, tasks }, ctx) => {
    const state = await readThroughAgent(captureText(ctx, file), agentIp)
    const found = [...state.tasks.values()].map(({ key, ...task }) => task)
    expect(found).toEqual(tasks.map((task) => ({ ...task, agentIp })))
    expect([...state.tasks.keys()]).toEqual(tasks.map((task) => `${task.frameworkId}/${task.id}`))
    expect(state.skipped).toEqual([])
  })

  test.for(CASES.filter(({ file }) => file.startsWith('agent-api/')))(
    '$file gives its tasks from its protobuf as well',
    ({ file, agentIp, tasks }, ctx) => {
      const bytes = captureBytes(ctx, file.replace('.json', '.bin'))
      const answer = decodeMessage(bytes, 'AgentResponse')
      const state = readState(JSON.stringify(asState(answer)), agentIp as Ip)
      const found = [...state.tasks.values()].map(({ key, frameworkName, ...task }) => task)
      expect(found).toEqual(tasks.map(({ frameworkName, ...task }) => ({ ...task, agentIp })))
      expect(state.skipped).toEqual([])
    },
  )

  test.for([
    ['json', 'application/json'],
    ['protobuf', 'application/x-protobuf'],
  ] as const)('the operator stream in %s gives the tasks of its agents', ([kind, type], ctx) => {
    const bytes = captureBytes(ctx, `operator-api/operator-api.5abfd7f8.${kind}.recordio`)
    const facts = new MasterFacts()
    for (const record of new RecordioDecoder({ maxRecordBytes: 2 ** 24 }).push(bytes)) {
      const event = decodeEvent(record, type)
      if (!isSnapshot(record, type)) facts.apply(readMasterEvent(event), 0)
    }
    const found = [...facts.tasks.values()].map(({ taskId, agentId, state }) => {
      return `${taskId.split('.')[0]} ${state} on S${agentId.split('-S')[1]}`
    })
    expect(found.sort()).toEqual(STREAM_TASKS)
  })

  test('a master’s own form of GET_STATE, with `tasks`, is read as well', (ctx) => {
    const text = captureText(ctx, 'operator-api/tcp-and-udp.5a51b2e0.jsonl')
    const { tasks, skipped } = readState(text, AGENT_IP)
    expect([...tasks.values()]).toMatchObject([
      {
        frameworkName: 'marathon',
        name: 'app',
        runtime: 'docker',
        health: 'healthy',
        addresses: ['172.17.0.3'],
        ports: [
          { protocol: 'tcp', port: 6416, name: 'http', vips: ['/app:80'] },
          { protocol: 'tcp', port: 6417, name: 'foobar', vips: [] },
          { protocol: 'udp', port: 6416, name: 'http', vips: ['/app:80'] },
          { protocol: 'udp', port: 6417, name: 'foobar', vips: [] },
        ],
      },
    ])
    expect(skipped).toEqual([])
  })
})
