import { describe, expect, test } from 'vitest'
import { statusMessage, taskMessage } from './fixtures.ts'
import { setUp, stateOf, unreachable } from './polled-agent.ts'

const web = taskMessage()
const api = taskMessage({ task_id: { value: 'api.1' } })

describe('polling', () => {
  test('goes on at the interval, a tenth more or less', async () => {
    const { agent, poller } = setUp()
    const abort = new AbortController()
    const run = poller.run(abort.signal).catch(() => undefined)
    await agent.clock.advance(59_000)
    expect(agent.waitsMs.length).toBeGreaterThan(220)
    expect(Math.min(...agent.waitsMs)).toBeGreaterThanOrEqual(225)
    expect(Math.max(...agent.waitsMs)).toBeLessThanOrEqual(275)
    expect(new Set(agent.waitsMs).size).toBeGreaterThan(100)
    abort.abort()
    await run
    expect(agent.clock.sleeperCount).toBe(0)
  })

  test('becomes rare when nothing changed for a minute, until something does', async () => {
    const { agent, poller } = setUp()
    const abort = new AbortController()
    const run = poller.run(abort.signal).catch(() => undefined)
    const waitsOf = async (durationMs: number) => {
      const before = agent.waitsMs.length
      await agent.clock.advance(durationMs)
      return agent.waitsMs.slice(before)
    }
    await waitsOf(70_000)
    const quiet = await waitsOf(30_000)
    expect(Math.min(...quiet)).toBeGreaterThanOrEqual(900)
    expect(Math.max(...quiet)).toBeLessThanOrEqual(1_100)
    agent.state = stateOf(web)
    await waitsOf(1_100)
    expect(Math.max(...(await waitsOf(50_000)))).toBeLessThanOrEqual(275)
    abort.abort()
    await run
  })

  test('backs off up to a minute while it fails, and is back at once after a success', async () => {
    const { agent, poller } = setUp()
    agent.state = unreachable()
    const abort = new AbortController()
    const run = poller.run(abort.signal).catch(() => undefined)
    await agent.clock.advance(600_000)
    const ceilings = agent.waitsMs.map((_, index) => Math.min(60_000, 250 * 2 ** (index + 1)))
    agent.waitsMs.forEach((waitMs, index) => {
      expect(waitMs).toBeLessThanOrEqual(ceilings[index] ?? 0)
      expect(waitMs).toBeGreaterThanOrEqual((ceilings[index] ?? 0) / 2)
    })
    expect(Math.max(...agent.waitsMs)).toBeGreaterThan(30_000)
    expect(poller.status.consecutiveFailures).toBe(agent.askedAtMs.length)
    agent.state = stateOf()
    await agent.clock.advance(61_000)
    expect(agent.waitsMs.at(-1)).toBeLessThanOrEqual(275)
    expect(poller.status).toMatchObject({ consecutiveFailures: 0, lastError: undefined })
    abort.abort()
    await run
  })
})

describe('the status', () => {
  test('says since when the tasks may be out of date: the last poll that worked', async () => {
    const { agent, poller, poll } = setUp()
    const startMs = agent.clock.wallMs()
    expect(poller.status.staleSinceWallMs).toBe(startMs)
    await poll()
    expect(poller.status.staleSinceWallMs).toBeUndefined()
    agent.state = unreachable()
    for (let failure = 0; failure < 2; failure++) {
      await agent.clock.advance(1000)
      await poll()
      expect(poller.status.staleSinceWallMs).toBe(startMs)
    }
    agent.state = stateOf()
    await poll()
    expect(poller.status.staleSinceWallMs).toBeUndefined()
  })
})

describe('the table of tasks', () => {
  test('is complete from the first success on, not before', async () => {
    const { agent, poller, poll } = setUp()
    agent.state = unreachable()
    await poll()
    expect(poller.tasks.snapshot.isComplete).toBe(false)
    expect(poller.status.lastSuccessMs).toBeUndefined()
    agent.state = stateOf()
    await poll()
    expect(poller.tasks.snapshot.isComplete).toBe(true)
    expect(poller.status.lastSuccessMs).toBe(0)
  })

  test.for([
    { name: 'the agent is gone', state: unreachable() },
    { name: 'the agent recovers', state: unreachable('MESOS_UNAVAILABLE') },
    { name: 'the answer is no JSON', state: '<html>' },
    { name: 'the answer has no tasks message', state: '{"type":"GET_STATE","get_state":{}}' },
  ])('keeps the last known tasks when $name', async ({ state }) => {
    const { agent, poller, poll } = setUp()
    agent.state = stateOf(web, api)
    await poll()
    const before = poller.tasks.snapshot
    agent.state = state
    await poll()
    expect(poller.tasks.snapshot).toBe(before)
    expect(poller.status.consecutiveFailures).toBe(1)
  })

  test('has no revision for an equal answer, nor for one that only looks different', async () => {
    const { agent, poller, poll } = setUp()
    agent.state = stateOf(web, api)
    await poll()
    const before = poller.tasks.snapshot
    await poll()
    agent.state = stateOf(api, { ...web, status_update_uuid: 'AAAA' })
    await poll()
    expect(poller.tasks.snapshot).toBe(before)
  })

  test('an equal answer is not parsed', async () => {
    const { agent, registry, poll } = setUp()
    agent.state = stateOf(web)
    for (let index = 0; index < 3; index++) await poll()
    const metrics = await registry.metrics()
    expect(metrics).toContain('navstar_mesos_polls_total{result="changed"} 1')
    expect(metrics).toContain('navstar_mesos_polls_total{result="unchanged"} 2')
  })

  test('after a failure an equal answer is a success', async () => {
    const { agent, poller, poll } = setUp()
    agent.state = stateOf(web)
    await poll()
    agent.state = unreachable()
    await poll()
    agent.state = stateOf(web)
    await poll()
    expect(poller.status).toMatchObject({ consecutiveFailures: 0, lastError: undefined })
  })

  test.for([
    { name: 'state', parts: { state: 'TASK_KILLING' } },
    { name: 'health', parts: { statuses: [statusMessage({ healthy: false })] } },
    { name: 'address', parts: { statuses: [statusMessage({}, ['9.0.0.6'])] } },
    { name: 'name', parts: { discovery: { name: 'other' } } },
    { name: 'runtime', parts: { container: { type: 'DOCKER' } } },
    { name: 'ports', parts: { discovery: { ports: { ports: [{ number: 1, protocol: 'tcp' }] } } } },
  ])('a change of $name is one row of one revision', async ({ parts }) => {
    const { agent, poller, poll } = setUp()
    agent.state = stateOf(web, api)
    await poll()
    const { revision, rows } = poller.tasks.snapshot
    const changed: string[] = []
    poller.tasks.onChange(({ keys }) => changed.push(...keys))
    agent.state = stateOf({ ...web, ...parts }, api)
    await poll()
    expect(changed).toEqual(['f-0001/web.1'])
    expect(poller.tasks.snapshot.revision).toBe(revision + 1)
    const [untouched] = [...rows.values()].filter((task) => task.id === 'api.1')
    expect([...poller.tasks.snapshot.rows.values()]).toContain(untouched)
  })

  test('a task that is gone leaves the table', async () => {
    const { agent, poller, poll } = setUp()
    agent.state = stateOf(web, api)
    await poll()
    agent.state = stateOf(api)
    await poll()
    expect([...poller.tasks.snapshot.rows.keys()]).toEqual(['f-0001/api.1'])
  })
})

describe('the agent’s address', () => {
  test('is asked for once, and again after a failure', async () => {
    const { agent, poller, poll } = setUp({})
    agent.state = stateOf(web)
    expect(poller.agentIp).toBeUndefined()
    await poll()
    await poll()
    expect(agent.calls).toEqual(['GET_AGENT', 'GET_STATE', 'GET_STATE'])
    expect(poller.agentIp).toBe('10.0.0.1')
    agent.state = unreachable()
    await poll()
    // The agent came back elsewhere: equal state, other address.
    agent.state = stateOf(web)
    agent.hostname = '10.0.0.2'
    await poll()
    const rows = [...poller.tasks.snapshot.rows.values()]
    expect(rows).toMatchObject([{ agentIp: '10.0.0.2' }])
    // A resolver that fails does not stop what worked.
    agent.state = unreachable()
    await poll()
    agent.state = stateOf(web, api)
    agent.hostname = 'agent.example'
    await poll()
    expect(poller.agentIp).toBe('10.0.0.2')
    expect(poller.tasks.snapshot.rows.size).toBe(2)
  })
})

describe('what is left out', () => {
  test('is logged once per identity, counted, and shown in the status', async () => {
    const { agent, poller, registry, lines, poll } = setUp()
    const bad = taskMessage({ task_id: { value: 'bad.1' }, state: 7 })
    agent.state = stateOf(web, bad)
    await poll()
    agent.state = stateOf(web, bad, api)
    await poll()
    expect(lines).toMatchObject([
      {
        message: 'part of the mesos state is skipped',
        fields: { owner: 'f-0001/bad.1', error: { code: 'TASK_INVALID' } },
      },
    ])
    expect(poller.status.skipped).toHaveLength(1)
    expect(poller.tasks.snapshot.rows.size).toBe(2)
    const metrics = await registry.metrics()
    expect(metrics).toContain('navstar_mesos_skipped_parts_total{reason="task_malformed"} 1')
    expect(metrics).toContain('navstar_mesos_skipped_parts{reason="task_malformed"} 1')
    expect(metrics).toContain('navstar_mesos_tasks{phase="running"} 2')
    agent.state = stateOf(web)
    await poll()
    expect(poller.status.skipped).toEqual([])
    expect(await registry.metrics()).not.toContain('navstar_mesos_skipped_parts{reason')
  })

  test('failures are logged once per code and counted each time', async () => {
    const { agent, registry, lines, poll } = setUp()
    agent.state = unreachable()
    for (let index = 0; index < 3; index++) await poll()
    agent.state = unreachable('MESOS_UNAVAILABLE')
    await poll()
    agent.state = stateOf()
    await poll()
    expect(lines.map(({ message }) => message)).toEqual([
      'mesos agent cannot be read, last known tasks are kept',
      'mesos agent cannot be read, last known tasks are kept',
      'mesos agent answers again',
    ])
    const metrics = await registry.metrics()
    expect(metrics).toContain('navstar_mesos_errors_total{code="MESOS_UNREACHABLE"} 3')
    expect(metrics).toContain('navstar_mesos_polls_total{result="failed"} 4')
  })
})
