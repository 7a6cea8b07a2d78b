import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLog } from '../../../src/base/log.ts'
import { seededRandom } from '../../../src/base/random.ts'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import { type LeaderSource, openLeaderSource } from '../../../src/mesos/master/leader.ts'
import { parseMasters } from '../../../src/mesos/master/masters.ts'
import { FakeZooKeeper } from './fake-zookeeper.ts'

let clock: VirtualClock
let zookeeper: FakeZooKeeper
let source: LeaderSource | undefined
let seen: (string | undefined)[]
let counted: string[]

beforeEach(() => {
  clock = new VirtualClock()
  zookeeper = new FakeZooKeeper()
  seen = []
  counted = []
})

afterEach(async () => {
  await source?.close()
  expect(zookeeper.openSessions).toEqual([])
  expect(clock.sleeperCount).toBe(0)
})

/** A source that has had a second to find its way. */
async function follow(text = 'zk://a,b,c/mesos'): Promise<LeaderSource> {
  const parsed = parseMasters(text)
  if (parsed.kind === 'problem') throw new Error(parsed.problem)
  source = openLeaderSource({
    masters: parsed.masters,
    clock,
    random: seededRandom(1),
    log: silentLog,
    openSession: zookeeper.open,
    events: {
      onProblem: (code) => counted.push(code),
      onSkipped: (code) => counted.push(`skipped ${code}`),
      onSessionLost: () => counted.push('session lost'),
      onStale: (isStale) => counted.push(isStale ? 'stale' : 'current'),
    },
  })
  source.onChange((leader) => seen.push(leader?.address))
  await clock.advance(1000)
  return source
}

describe('the leader in ZooKeeper', () => {
  test('is the master with the lowest number, and the next one when it goes', async () => {
    zookeeper.announce(7, '10.0.0.7')
    zookeeper.announce(5, '10.0.0.5')
    const { status } = await follow()
    expect(status()).toMatchObject({
      state: 'current',
      leader: { address: '10.0.0.5', port: 5050 },
    })
    zookeeper.remove(5)
    await clock.advance(1)
    zookeeper.remove(7)
    await clock.advance(1)
    zookeeper.announce(9, '10.0.0.5')
    await clock.advance(1)
    expect(seen).toEqual(['10.0.0.5', '10.0.0.7', undefined, '10.0.0.5'])
    expect(counted).toEqual(['current'])
  })

  test('is nobody while the path does not exist, which is no fault', async () => {
    const { status } = await follow()
    expect(status()).toMatchObject({ state: 'current', leader: undefined })
    zookeeper.announce(0, '10.0.0.1')
    await clock.advance(1)
    expect(seen).toEqual(['10.0.0.1'])
  })

  test('is read once for a storm of changes, and told once', async () => {
    zookeeper.announce(1, '10.0.0.1')
    await follow()
    const before = zookeeper.readings
    for (let sequence = 2; sequence < 500; sequence++) zookeeper.announce(sequence, '10.0.0.2')
    await clock.advance(1)
    expect(zookeeper.readings - before).toBeLessThanOrEqual(2)
    expect(seen).toEqual(['10.0.0.1'])
  })

  test('is found although nodes vanish between being listed and being read', async () => {
    zookeeper.announce(1, '10.0.0.1')
    zookeeper.announce(2, '10.0.0.2')
    zookeeper.beforeRead = (name) => {
      if (name.endsWith('1')) zookeeper.remove(1)
    }
    await follow()
    expect(seen).toEqual(['10.0.0.2'])
    expect(counted).toEqual(['current'])
  })

  test('is not believed gone because the one that follows vanished while being read', async () => {
    zookeeper.announce(1, '10.0.0.1')
    await follow()
    zookeeper.beforeRead = (name) => {
      if (!name.endsWith('2')) return
      zookeeper.nodes?.delete(name)
      zookeeper.announce(3, '10.0.0.3')
    }
    zookeeper.nodes?.clear()
    zookeeper.announce(2, '10.0.0.2')
    await clock.advance(1)
    expect(seen).toEqual(['10.0.0.1', '10.0.0.3'])
  })

  test('is looked for again after nodes have vanished for as long as one looked', async () => {
    zookeeper.announce(1, '10.0.0.1')
    let vanishing = 12
    zookeeper.beforeRead = (name) => {
      if (vanishing-- <= 0) return
      zookeeper.nodes?.delete(name)
      zookeeper.announce(20 - vanishing, '10.0.0.2')
    }
    await follow()
    expect(seen).toEqual(['10.0.0.2'])
  })

  test('is replaced by the next master when its node cannot be read; each is counted once', async () => {
    zookeeper.set(1, 'junk')
    zookeeper.announce(2, '10.0.0.2')
    const { status, refresh } = await follow()
    refresh()
    await clock.advance(1)
    expect(seen).toEqual(['10.0.0.2'])
    expect(counted).toEqual(['skipped MASTER_INVALID', 'current'])
    expect([...status().skipped.keys()]).toEqual(['json.info_0000000001'])
    zookeeper.announce(1, '10.0.0.1')
    await clock.advance(1)
    expect(seen).toEqual(['10.0.0.2', '10.0.0.1'])
    expect(status().skipped.size).toBe(0)
  })

  test('is followed although a watch was lost', async () => {
    zookeeper.announce(1, '10.0.0.1')
    await follow()
    zookeeper.nodes = new Map([...(zookeeper.nodes ?? [])])
    zookeeper.nodes.clear()
    await clock.advance(30_000)
    expect(seen).toEqual(['10.0.0.1'])
    await clock.advance(60_000)
    expect(seen).toEqual(['10.0.0.1', undefined])
  })
})

describe('when servers of ZooKeeper are away', () => {
  test('another one is asked within the blink of an eye', async () => {
    zookeeper.announce(1, '10.0.0.1')
    const { status } = await follow()
    const [session] = zookeeper.openSessions
    zookeeper.stop(session?.host ?? '')
    zookeeper.announce(0, '10.0.0.9')
    await clock.advance(250)
    expect(status()).toMatchObject({ state: 'current', leader: { address: '10.0.0.9' } })
    expect(zookeeper.attempts.length).toBeLessThanOrEqual(3)
  })

  test('the last known leader stays, marked stale since then, until they are back', async () => {
    zookeeper.announce(1, '10.0.0.1')
    const { status } = await follow()
    const lostWallMs = clock.wallMs()
    for (const host of ['a', 'b', 'c']) zookeeper.stop(host)
    await clock.advance(120_000)
    expect(status()).toMatchObject({
      state: 'stale',
      sinceWallMs: lostWallMs,
      leader: { address: '10.0.0.1' },
      problem: { code: 'ZOOKEEPER_UNREACHABLE' },
    })
    // Three servers per round, a round at most every 10 s once it waits that long.
    expect(zookeeper.attempts.length).toBeLessThan(90)
    zookeeper.announce(0, '10.0.0.9')
    zookeeper.down.clear()
    await clock.advance(11_000)
    expect(status()).toMatchObject({ state: 'current', leader: { address: '10.0.0.9' } })
    expect(status()).not.toHaveProperty('problem')
    expect(seen).toEqual(['10.0.0.1', '10.0.0.9'])
    expect(counted.filter((event) => event === 'stale')).toHaveLength(1)
    expect(counted).toContain('session lost')
  })

  test('from the start, we are searching', async () => {
    for (const host of ['a', 'b', 'c']) zookeeper.down.add(host)
    const { status } = await follow()
    await clock.advance(60_000)
    expect(status()).toMatchObject({ state: 'searching', leader: undefined })
    expect(new Set(zookeeper.attempts)).toEqual(new Set(['a', 'b', 'c']))
  })
})

test('nothing is heard after a listener has ended, nor after closing', async () => {
  zookeeper.announce(1, '10.0.0.1')
  const opened = await follow()
  const late: unknown[] = []
  opened.onChange((leader) => late.push(leader))()
  zookeeper.announce(0, '10.0.0.2')
  await clock.advance(1)
  await opened.close()
  zookeeper.remove(0)
  await clock.advance(100_000)
  expect(late).toEqual([])
  expect(seen).toEqual(['10.0.0.1', '10.0.0.2'])
})
