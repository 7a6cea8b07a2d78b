import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { VirtualClock } from '../../src/base/virtual-clock.ts'
import { MesosAgentSimulator } from '../../src/demo/agent/mesos-agent.ts'
import type { SimulatedTask } from '../../src/demo/agent/task.ts'
import { readState } from '../../src/mesos/state/state.ts'
import type { Ip } from '../../src/model/ip.ts'
import { captureText, readThroughAgent } from './fixtures.ts'

const clock = new VirtualClock()
let agent: MesosAgentSimulator

beforeEach(async () => {
  agent = await MesosAgentSimulator.listen({ clock, agentIp: '10.0.0.1' })
})
afterEach(() => agent.close())

function post(body: string, headers: Record<string, string> = {}): Promise<Response> {
  const type = { 'content-type': 'application/json' }
  return fetch(`${agent.url}/api/v1`, { method: 'POST', headers: { ...type, ...headers }, body })
}

async function call(type: string): Promise<string> {
  return (await post(JSON.stringify({ type }))).text()
}

describe('the simulated agent over HTTP', () => {
  test.for([
    { name: 'GET', init: { method: 'GET' }, status: 405 },
    { name: 'no content type', init: { body: new Uint8Array([123, 125]) }, status: 400 },
    { name: 'a charset', init: { type: 'application/json; charset=utf-8' }, status: 415 },
    { name: 'no JSON', init: { type: 'application/json', body: '{' }, status: 400 },
    { name: 'no type', init: { type: 'application/json', body: '{}' }, status: 400 },
    {
      name: 'an accept without JSON',
      init: { type: 'application/json', body: '{"type":"GET_STATE"}', accept: 'text/html' },
      status: 406,
    },
    {
      name: 'bad JSON goes before a bad accept',
      init: { type: 'application/json', body: '{', accept: 'text/html' },
      status: 400,
    },
  ] as const)('$name is $status', async ({ init, status }) => {
    const {
      method = 'POST',
      body,
      type,
      accept,
    } = { ...{ body: undefined, type: undefined, accept: undefined }, ...init } as {
      method?: string
      body?: string | Uint8Array<ArrayBuffer>
      type?: string
      accept?: string
    }
    const headers = {
      ...(type === undefined ? {} : { 'content-type': type }),
      ...(accept === undefined ? {} : { accept }),
    }
    const request = { method, headers, ...(body === undefined ? {} : { body }) }
    const response = await fetch(`${agent.url}/api/v1`, request)
    expect(response.status).toBe(status)
    if (status === 405) expect(response.headers.get('allow')).toBe('POST')
  })

  test('authentication goes before recovery, recovery before the method', async () => {
    const guarded = await MesosAgentSimulator.listen({ clock, authorization: 'token=abc' })
    guarded.setRecovering(true)
    const without = await fetch(`${guarded.url}/api/v1`)
    expect(without.status).toBe(401)
    expect(without.headers.get('www-authenticate')).toBe('Basic realm="mesos-agent-readwrite"')
    const headers = { authorization: 'token=abc' }
    const recovering = await fetch(`${guarded.url}/api/v1`, { headers })
    expect([recovering.status, await recovering.text()]).toEqual([
      503,
      'Agent has not finished recovery',
    ])
    await guarded.close()
  })

  test('answers from 1024 bytes on are compressed for those who accept it', async () => {
    const small = await post('{"type":"GET_AGENT"}', { 'accept-encoding': 'gzip' })
    expect(small.headers.get('content-encoding')).toBeNull()
    agent.addTask({ name: 'web' })
    const large = await post('{"type":"GET_STATE"}', { 'accept-encoding': 'gzip' })
    expect(large.headers.get('content-encoding')).toBe('gzip')
    const plain = await post('{"type":"GET_STATE"}', { 'accept-encoding': 'identity' })
    expect(plain.headers.get('content-encoding')).toBeNull()
    expect(await large.json()).toEqual(await plain.json())
  })

  test('an idle agent answers the same bytes', async () => {
    agent.addTask({ name: 'web' })
    expect(await call('GET_STATE')).toBe(await call('GET_STATE'))
  })
})

describe('its JSON', () => {
  test('is Mesos’: doubles with a fraction, escaped slashes, defaults, no empty lists', async () => {
    agent.addTask({
      name: 'web',
      hasHealthCheck: true,
      labels: { url: 'http://a' },
      network: 'bridge',
      addresses: ['172.31.254.2'],
      ports: [{ port: 80, hostPort: 31000 }],
    })
    const text = await call('GET_STATE')
    expect(text).toContain('{"type":"GET_STATE","get_state":{"get_tasks":{"launched_tasks":[')
    expect(text).toContain('"scalar":{"value":128.0}')
    expect(text).toContain('"value":"http:\\/\\/a"')
    expect(text).toContain('"failover_timeout":604800.0')
    expect(text).toContain('"delay_seconds":15.0')
    expect(text).toContain('"consecutive_failures":3')
    expect(text).toContain('"ip_addresses":[{"protocol":"IPv4"}]')
    expect(text).toContain('"mesos":{}')
    expect(text).not.toContain('[]')
  })

  test('an agent without tasks has a tasks message that is set but empty', async () => {
    const text = await call('GET_STATE')
    expect(text).toBe(
      '{"type":"GET_STATE","get_state":{"get_tasks":{},"get_executors":{},"get_frameworks":{}}}',
    )
  })

  test('64-bit numbers of a capture pass unharmed', async () => {
    const task = { task_id: { value: 'a' }, kill_policy: { nanoseconds: 'BIG' } }
    const capture = JSON.stringify({ type: 'GET_TASKS', get_tasks: { launched_tasks: [task] } })
    agent.loadState(capture.replace('"BIG"', '1540582871167564033'))
    expect(await call('GET_TASKS')).toContain('"nanoseconds":1540582871167564033')
  })

  test('Docker’s TASK_STARTING carries the agent’s address, TASK_RUNNING the container’s', async () => {
    agent.addTask({
      name: 'web',
      runtime: 'docker',
      network: 'bridge',
      addresses: ['172.17.0.2'],
    })
    const { get_tasks } = JSON.parse(await call('GET_TASKS'))
    const [task] = get_tasks.launched_tasks
    const addresses = task.statuses.map(
      (status: {
        container_status: { network_infos: [{ ip_addresses: [{ ip_address: string }] }] }
      }) => status.container_status.network_infos[0].ip_addresses[0].ip_address,
    )
    expect(addresses).toEqual(['10.0.0.1', '172.17.0.2'])
  })

  test('of a run of statuses with one state the newest is kept', async () => {
    const id = agent.addTask({ name: 'web', hasHealthCheck: true })
    for (let index = 0; index < 10; index++) agent.setHealth(id, index % 2 === 0)
    const { get_tasks } = JSON.parse(await call('GET_TASKS'))
    const [task] = get_tasks.launched_tasks
    expect(task.statuses).toMatchObject([
      { state: 'TASK_STARTING' },
      { state: 'TASK_RUNNING', healthy: false },
    ])
  })

  test('ended tasks are terminated, then completed, never launched', async () => {
    const id = agent.addTask({ name: 'web' })
    agent.setTaskState(id, 'TASK_FAILED')
    const terminated = JSON.parse(await call('GET_TASKS')).get_tasks
    expect(Object.keys(terminated)).toEqual(['terminated_tasks'])
    agent.removeTask(id)
    const completed = JSON.parse(await call('GET_TASKS')).get_tasks
    expect(Object.keys(completed)).toEqual(['completed_tasks'])
  })

  test('an unknown task is the caller’s mistake', () => {
    expect(() => agent.setTaskState('nobody', 'TASK_KILLED')).toThrow('nobody')
  })
})

describe('a simulated task', () => {
  const CASES: readonly { name: string; task: SimulatedTask; expected: object }[] = [
    {
      name: 'on the host network',
      task: { name: 'a', ports: [{ port: 31000, name: 'http', vips: ['/a:80', '1.2.3.4:80'] }] },
      expected: {
        addresses: ['10.0.0.1'],
        ports: [
          { protocol: 'tcp', port: 31000, name: 'http', vips: ['/a:80', '1.2.3.4:80'].sort() },
        ],
      },
    },
    {
      name: 'on a bridge',
      task: {
        name: 'a',
        network: 'bridge',
        addresses: ['172.31.254.2'],
        ports: [{ port: 80, hostPort: 31000, protocol: 'udp', vips: ['/a:80'] }],
      },
      expected: {
        runtime: 'mesos',
        ports: [{ protocol: 'udp', port: 80, hostPort: 31000, vips: ['/a:80'] }],
      },
    },
    {
      name: 'on a container network',
      task: {
        name: 'a',
        network: 'container',
        runtime: 'docker',
        addresses: ['9.0.1.130', 'fd01::5'],
        ports: [{ port: 80, vips: ['/a:80'] }],
      },
      expected: {
        runtime: 'docker',
        addresses: ['9.0.1.130', 'fd01::5'],
        ports: [{ protocol: 'tcp', port: 80, vips: ['/a:80'] }],
      },
    },
    {
      name: 'with a legacy label',
      task: { name: 'a', labels: { VIP_PORT0: 'tcp://1.2.3.4:80' }, ports: [{ port: 31000 }] },
      expected: { ports: [{ port: 31000, vips: ['1.2.3.4:80'] }] },
    },
    {
      name: 'that starts',
      task: { name: 'a', state: 'TASK_STARTING', runtime: 'docker' },
      expected: { phase: 'other', addresses: [] },
    },
    {
      name: 'of another framework',
      task: { name: 'a', framework: 'kafka', isHealthy: false },
      expected: { frameworkName: 'kafka', health: 'unhealthy' },
    },
  ]

  test.for(CASES)('$name is read as such', async ({ task, expected }) => {
    agent.addTask(task)
    const { tasks, skipped } = readState(await call('GET_STATE'), '10.0.0.1' as Ip)
    expect([...tasks.values()]).toMatchObject([expected])
    expect(skipped).toEqual([])
  })

  test.for(CASES)('$name survives the way through v0 /state', async ({ task }) => {
    agent.addTask(task)
    const direct = readState(await call('GET_STATE'), '10.0.0.1' as Ip)
    const v0 = await (await fetch(`${agent.url}/slave(1)/state`)).text()
    expect(await readThroughAgent(v0, '10.0.0.1')).toEqual(direct)
  })
})

describe('captures', () => {
  test('a captured task can be moved like another', async (ctx) => {
    agent.loadState(captureText(ctx, 'state/ucr-bridge-mode.d3e3875f.json'))
    agent.setTaskState('foo.296ecd47-6b12-11e7-b302-3edf0088f09a', 'TASK_KILLING')
    const { tasks } = readState(await call('GET_STATE'), '10.0.2.5' as Ip)
    expect([...tasks.values()]).toMatchObject([
      { name: 'foo-1', phase: 'running' },
      { name: 'foo', phase: 'killing', addresses: ['172.31.254.2'] },
    ])
  })

  test('the agent’s address comes from a v0 capture where none is set', async (ctx) => {
    const other = await MesosAgentSimulator.listen({ clock })
    other.loadState(captureText(ctx, 'state/ucr-bridge-mode.d3e3875f.json'))
    const response = await fetch(`${other.url}/state`)
    expect(await response.json()).toMatchObject({
      pid: expect.stringMatching(/^slave\(1\)@10\.0\.2\.5:/),
    })
    await other.close()
  })

  test('what is no capture is refused', () => {
    expect(() => agent.loadState('{"type":"GET_VERSION"}')).toThrow('neither')
    expect(() => agent.loadState('no JSON')).toThrow(SyntaxError)
  })
})
