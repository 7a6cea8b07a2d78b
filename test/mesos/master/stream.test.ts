import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Followed } from './followed.ts'
import {
  agentAddedEvent,
  agentRemovedEvent,
  recordOf,
  type ScriptedMaster,
  stateMessage,
  subscribedEvent,
  taskAddedEvent,
  taskUpdatedEvent,
} from './scripted-master.ts'

const HEARTBEAT = { type: 'HEARTBEAT' }
let followed: Followed
let master: ScriptedMaster

beforeEach(async () => {
  followed = new Followed()
  master = await followed.master()
})

afterEach(() => followed.close())

/** Follows the master, whose state is one agent with one task. */
async function follow(first: readonly object[] = [subscribedEvent()]): Promise<void> {
  followed.start(master.address)
  await followed.subscribed(master)
  master.stream.send(first)
  await expect.poll(() => followed.stream.state).toBe('current')
}

describe('the stream of the leading master', () => {
  test('tells hints and agents that are gone, beginning with the state', async () => {
    followed.start(master.address)
    await followed.subscribed(master)
    await expect.poll(() => followed.stream.state).toBe('receiving')
    expect(followed.stream).toMatchObject({ wasCurrent: false, staleSinceWallMs: 1.7e12 })
    master.stream.send([subscribedEvent(stateMessage([1, 2], { web: 1 })), HEARTBEAT])
    await expect.poll(() => followed.stream.events.HEARTBEAT).toBe(1)
    expect(followed.hints).toEqual([])
    master.stream.send([taskAddedEvent('db', 2)])
    await expect.poll(() => followed.hints).toEqual(['10.0.0.2'])
    master.stream.send([agentRemovedEvent(1)])
    await expect.poll(() => followed.gone).toEqual(['S1 10.0.0.1'])
    expect(followed.tasks).toEqual(['f/db'])
    expect(followed.stream).toMatchObject({
      state: 'current',
      leader: master.address,
      contentType: 'application/json',
      staleSinceWallMs: undefined,
      lastError: undefined,
      events: { SUBSCRIBED: 1, HEARTBEAT: 1, TASK_ADDED: 1, AGENT_REMOVED: 1 },
    })
    expect(await followed.registry.getSingleMetricAsString('navstar_mesos_master_tasks')).toMatch(
      /master_tasks 1$/m,
    )
  })

  test.each([1, 2, 3, 7, 64, 1000])('is read in chunks of %i bytes', async (chunkBytes) => {
    followed.start(master.address)
    await followed.subscribed(master)
    const events = [subscribedEvent(), agentAddedEvent(2), taskAddedEvent('größe', 2)]
    master.stream.send(events, chunkBytes)
    await expect.poll(() => followed.tasks).toEqual(['f/größe', 'f/web'])
    expect(followed.stream.malformed).toBe(0)
  })

  test('is a burst that gives one hint for an agent', async () => {
    await follow()
    const events = Array.from({ length: 50 }, () => taskUpdatedEvent('web', 1, 'TASK_RUNNING'))
    master.stream.send(events)
    await expect.poll(() => followed.stream.events.TASK_UPDATED).toBe(50)
    expect(followed.hints.length).toBeLessThan(5)
  })

  test('is taken as fast as it comes while its snapshot is reduced', async () => {
    followed.start(master.address)
    await followed.subscribed(master)
    const tasks = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`t${i}`, 1]))
    master.stream.send([subscribedEvent(stateMessage([1], tasks))])
    master.stream.send(Array.from({ length: 5000 }, (_, i) => taskAddedEvent(`u${i}`)))
    await expect.poll(() => master.stream.waitingBytes).toBe(0)
    await expect.poll(() => followed.tasks.length, { timeout: 10_000 }).toBe(25_000)
  })

  test.each(['last chunk', 'FIN', 'RST'] as const)('that ends by %s begins anew', async (how) => {
    await follow()
    master.stream.raw(recordOf(JSON.stringify(taskAddedEvent('half'))).slice(0, 40))
    master.stream.end(how)
    await followed.lost('MESOS_UNREACHABLE')
    expect(followed.stream.staleSinceWallMs).toBe(1.7e12)
    expect(followed.tasks).toEqual(['f/web'])
    expect(followed.leader.refreshed).toBe(1)
    await followed.clock.advance(600)
    await followed.subscribed(master, 2)
    master.stream.send([subscribedEvent(stateMessage([1, 2], { web: 1, db: 2 }))])
    await expect.poll(() => followed.hints).toEqual(['10.0.0.2'])
    expect(followed.stream).toMatchObject({ state: 'current', staleSinceWallMs: undefined })
  })

  test.each([
    ['a length that is none', '-1\n', 'MESOS_RESPONSE_INVALID'],
    ['a length of 21 digits', '000000000000000000001\n', 'MESOS_RESPONSE_INVALID'],
    ['a length beyond the limit', '999999999999\n', 'MESOS_RESPONSE_TOO_LARGE'],
    ['a state that is none', recordOf('{"type":"SUBSCRIBED"}'), 'MESOS_RESPONSE_INVALID'],
    ['only nonsense', recordOf('{').repeat(200), 'MESOS_RESPONSE_INVALID'],
  ])('with %s ends', async (...[, text, code]) => {
    await follow()
    master.stream.raw(text)
    await followed.lost(code)
    await expect.poll(() => master.stream.hasEnded).toBe(true)
    expect(followed.tasks).toEqual(['f/web'])
  })

  test.each([
    ['no JSON', '{"type":'],
    ['a task without an id', '{"type":"TASK_ADDED","task_added":{"task":{}}}'],
  ])('goes on after a record with %s, and is audited soon', async (_name, text) => {
    await follow()
    master.state = stateMessage([1], { web: 1, missed: 1 })
    master.stream.raw(recordOf(text))
    master.stream.send([taskAddedEvent('next')])
    await expect.poll(() => followed.tasks).toEqual(['f/next', 'f/web'])
    expect(followed.stream.malformed).toBe(1)
    await followed.clock.advance(5000)
    await expect.poll(() => followed.tasks).toEqual(['f/missed', 'f/web'])
  })

  test('goes on when there are good records between those that cannot be read', async () => {
    await follow()
    for (let round = 0; round < 120; round++) {
      master.stream.raw(recordOf('{'))
      master.stream.send([HEARTBEAT])
    }
    await expect.poll(() => followed.stream.events.HEARTBEAT).toBe(120)
    expect(followed.stream).toMatchObject({ state: 'current', malformed: 120 })
  })

  test('may have empty records, unknown events and a heartbeat before all', async () => {
    await follow([HEARTBEAT, subscribedEvent()])
    master.stream.raw('0\n')
    master.stream.send([{ type: 'SOMETHING_NEW' }, {}, taskAddedEvent('next')])
    await expect.poll(() => followed.tasks).toEqual(['f/next', 'f/web'])
    expect(followed.stream).toMatchObject({ malformed: 0, events: { HEARTBEAT: 1, other: 2 } })
  })

  test('ends with the scope', async () => {
    await follow()
    await followed.scope.close()
    await expect.poll(() => master.stream.hasEnded).toBe(true)
  })
})

describe('silence', () => {
  test('of three heartbeats ends the stream, less does not', async () => {
    await follow()
    await followed.clock.advance(44_000)
    expect(followed.stream.state).toBe('current')
    await followed.clock.advance(1000)
    await followed.lost('MASTER_SILENT')
    await expect.poll(() => master.stream.hasEnded).toBe(true)
  })

  test('is broken by records', async () => {
    await follow()
    for (let beat = 1; beat <= 5; beat++) {
      await followed.clock.advance(44_000)
      master.stream.send([HEARTBEAT])
      await expect.poll(() => followed.stream.events.HEARTBEAT).toBe(beat)
    }
    expect(followed.stream.state).toBe('current')
  })

  test('is not broken by bytes that make no record', async () => {
    await follow()
    master.stream.raw('100\n')
    for (let second = 0; second < 45; second++) {
      master.stream.raw('x')
      await followed.clock.advance(1000)
    }
    await followed.lost('MASTER_SILENT')
  })

  test('before the state ends the stream after half a minute without a byte', async () => {
    followed.start(master.address)
    await followed.subscribed(master)
    master.stream.raw('1000\n')
    // The head of the answer must have arrived, which nothing tells.
    await expect.poll(() => followed.stream.contentType).toBe('application/json')
    await followed.clock.advance(29_000)
    expect(followed.stream.lastError).toBeUndefined()
    await followed.clock.advance(2000)
    await followed.lost('MASTER_SILENT')
  })

  test('or not, the state must be there after ten minutes', async () => {
    followed.start(master.address)
    await followed.subscribed(master)
    await expect.poll(() => followed.stream.contentType).toBe('application/json')
    master.stream.raw('100000\n')
    await followed.until(() => {
      if (!master.stream.hasEnded) master.stream.raw('x')
      return followed.stream.lastError !== undefined
    })
    expect(followed.stream.lastError?.message).toContain('no state within 600000 ms')
    expect(followed.clock.nowMs()).toBeLessThan(602_000)
  })

  test('of a master without heartbeats is found out by audits', async () => {
    await follow([subscribedEvent(stateMessage([1], { web: 1 }), 0)])
    master.state = stateMessage([1], { web: 1 })
    const audits = () => master.calls.filter(({ type }) => type === 'GET_STATE').length
    await followed.until(() => audits() === 1)
    await expect.poll(() => followed.stream.lastAuditWallMs).toBeDefined()
    expect(followed.stream.state).toBe('current')
    master.script = (_call, response) => void response.writeHead(503).end()
    await followed.until(() => audits() === 2)
    await followed.lost('MESOS_UNAVAILABLE')
  })
})
