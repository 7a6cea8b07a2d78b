import { describe, expect, test } from 'vitest'
import { taskMessage } from './fixtures.ts'
import { type PolledAgent, setUp, stateOf, unreachable } from './polled-agent.ts'

const taskOf = (agent: string | undefined) =>
  stateOf(taskMessage(agent === undefined ? {} : { agent_id: { value: agent } }))
const GONE = { agent: 'a-S1', by: 'node b' }

/** A poller that read one task of an agent. */
async function polled(agentId: string | undefined): Promise<PolledAgent> {
  const set = setUp()
  set.agent.state = taskOf(agentId)
  await set.poll()
  return set
}

function tasksOf({ poller }: PolledAgent): number {
  return poller.tasks.snapshot.rows.size
}

describe('an agent that is said to be gone for good', () => {
  test.each([
    { what: 'was the present one', agentId: 'a-S1' },
    { what: 'may be the present one', agentId: undefined },
  ])('and $what loses its tasks when it does not answer', async ({ agentId }) => {
    const set = await polled(agentId)
    set.agent.state = unreachable()
    await set.poll()
    expect(tasksOf(set)).toBe(1)
    set.poller.agentGone(GONE)
    expect(tasksOf(set)).toBe(1)
    await set.poll()
    expect(tasksOf(set)).toBe(0)
    expect(set.poller.tasks.snapshot.isComplete).toBe(true)
    expect(set.poller.status.goneAgent).toEqual(GONE)
    expect(set.lines.filter(({ message }) => message.includes('withdrawn'))).toHaveLength(1)
  })

  test('gets them back with the next answer, though it is the same as before', async () => {
    const set = await polled('a-S1')
    set.poller.agentGone(GONE)
    set.agent.state = unreachable()
    await set.poll()
    expect(tasksOf(set)).toBe(0)
    set.agent.state = taskOf('a-S1')
    await set.poll()
    expect(tasksOf(set)).toBe(1)
    expect(set.poller.status.goneAgent).toBeUndefined()
  })

  test('is asked at once', async () => {
    const set = await polled('a-S1')
    const abort = new AbortController()
    const run = set.poller.run(abort.signal).catch(() => undefined)
    await set.agent.clock.advance(1000)
    set.agent.askedAtMs.splice(0)
    set.poller.agentGone(GONE)
    await set.agent.clock.advance(30)
    expect(set.agent.askedAtMs.length).toBeGreaterThan(0)
    abort.abort()
    await run
  })

  test('keeps its tasks while it answers, and loses them when it ends soon after', async () => {
    const set = await polled('a-S1')
    set.poller.agentGone(GONE)
    for (let poll = 0; poll < 3; poll++) await set.poll()
    expect(tasksOf(set)).toBe(1)
    expect(set.lines.filter(({ message }) => message.includes('but it answers'))).toHaveLength(1)
    set.agent.state = unreachable()
    await set.poll()
    expect(tasksOf(set)).toBe(0)
  })

  test.each([
    { what: 'ends much later', agentId: 'a-S1', waitMs: 600_000 },
    { what: 'answered, and tells no id', agentId: undefined, waitMs: 0 },
  ])('keeps them when it $what', async ({ agentId, waitMs }) => {
    const set = await polled(agentId)
    set.poller.agentGone(GONE)
    await set.poll()
    await set.agent.clock.advance(waitMs)
    await set.poll()
    set.agent.state = unreachable()
    await set.poll()
    expect(tasksOf(set)).toBe(1)
  })

  test('keeps them when it is not the present one', async () => {
    const set = await polled('a-S2')
    set.agent.state = unreachable()
    set.poller.agentGone(GONE)
    await set.poll()
    expect(tasksOf(set)).toBe(1)
    expect(set.poller.status.goneAgent).toBeUndefined()
  })

  test('keeps them when another took its place', async () => {
    const set = await polled('a-S1')
    set.poller.agentGone(GONE)
    set.agent.state = taskOf('a-S2')
    await set.poll()
    set.agent.state = unreachable()
    await set.poll()
    expect(tasksOf(set)).toBe(1)
  })

  test('keeps them while it is only not ready', async () => {
    const set = await polled('a-S1')
    set.poller.agentGone(GONE)
    set.agent.state = unreachable('MESOS_UNAVAILABLE')
    await set.poll()
    expect(tasksOf(set)).toBe(1)
    set.agent.state = unreachable()
    await set.poll()
    expect(tasksOf(set)).toBe(0)
  })

  test('that was never read stays unknown', async () => {
    const set = setUp()
    set.agent.state = unreachable()
    set.poller.agentGone(GONE)
    await set.poll()
    expect(set.poller.tasks.snapshot.isComplete).toBe(false)
    expect(set.poller.status.goneAgent).toBeUndefined()
  })
})
