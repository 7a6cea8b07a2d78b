/** The leader followed through real ZooKeeper. */
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { type LeaderSource, openLeaderSource } from '../../../src/mesos/master/leader.ts'
import { parseMasters } from '../../../src/mesos/master/masters.ts'
import { ZOOKEEPER_TIMING } from '../../../src/mesos/master/zookeeper.ts'
import { requireFeature } from '../../feature.ts'
import { AnnouncedMaster, type Announcement, masterInfo } from './announced-master.ts'
import { ZooKeeperEnsemble } from './zookeeper-server.ts'

const TIMEOUT = { timeout: 60_000 }
const PATIENT = { timeout: 15_000, interval: 20 }
const sources: LeaderSource[] = []
const masters: AnnouncedMaster[] = []
/** Codes of what kept the test's sources from reading. */
const problems: string[] = []

afterEach(async () => {
  for (const source of sources.splice(0)) await source.close()
  problems.splice(0)
  for (const master of masters.splice(0)) await master.withdraw()
})

/** A source that starts with the first server and finds out about a silent one within 1 s. */
function follow(url: string): LeaderSource {
  const parsed = parseMasters(url)
  if (parsed.kind === 'problem') throw new Error(parsed.problem)
  const source = openLeaderSource({
    masters: parsed.masters,
    clock: systemClock,
    random: { next: () => 0 },
    log: silentLog,
    events: { onProblem: (code) => problems.push(code) },
    zooKeeperTiming: {
      ...ZOOKEEPER_TIMING,
      sessionTimeoutMs: 1_500,
      connectTimeoutMs: 1_000,
      backoff: { baseMs: 100, maxMs: 200 },
    },
  })
  sources.push(source)
  return source
}

async function announce(
  hosts: string,
  ip: string,
  more: Partial<Announcement> = {},
): Promise<AnnouncedMaster> {
  const master = await AnnouncedMaster.announce(hosts, { content: masterInfo(ip), ...more })
  masters.push(master)
  return master
}

async function withdraw(master: AnnouncedMaster): Promise<void> {
  masters.splice(masters.indexOf(master), 1)
  await master.withdraw()
}

const addressOf = (source: LeaderSource) => () => source.current?.address
const stateOf = (source: LeaderSource) => () => source.status().state

describe('one server', () => {
  let started: Promise<ZooKeeperEnsemble> | undefined
  const ensemble = () => (started ??= ZooKeeperEnsemble.start(1))

  afterAll(async () => (await started)?.close())

  test('the leader is found, and the next one when it goes', TIMEOUT, async (ctx) => {
    await requireFeature(ctx, 'zookeeper')
    const { hosts } = await ensemble()
    const source = follow(`zk://${hosts}/mesos`)
    await expect.poll(stateOf(source), PATIENT).toBe('current')
    expect(source.current).toBeUndefined()
    await announce(hosts, '10.0.0.99', { prefix: 'log_replicas_' })
    const first = await announce(hosts, '10.0.0.1')
    await expect.poll(addressOf(source), PATIENT).toBe('10.0.0.1')
    const second = await announce(hosts, '10.0.0.2')
    await announce(hosts, '10.0.0.3')
    expect(addressOf(source)()).toBe('10.0.0.1')
    await withdraw(first)
    await expect.poll(addressOf(source), PATIENT).toBe('10.0.0.2')
    await withdraw(second)
    await expect.poll(addressOf(source), PATIENT).toBe('10.0.0.3')
  })

  test('a node that cannot be read is named, and the next one asked', TIMEOUT, async (ctx) => {
    await requireFeature(ctx, 'zookeeper')
    const { hosts } = await ensemble()
    await announce(hosts, '', { path: '/odd', content: '{"address":' })
    await announce(hosts, '', { path: '/odd', content: '' })
    await announce(hosts, '10.0.0.3', { path: '/odd' })
    const source = follow(`zk://${hosts}/odd`)
    await expect.poll(addressOf(source), PATIENT).toBe('10.0.0.3')
    const codes = [...source.status().skipped.values()].map(({ code }) => code)
    expect(codes).toEqual(['MASTER_INVALID', 'MASTER_INVALID'])
  })

  test('what only a user may read takes that user’s password', TIMEOUT, async (ctx) => {
    await requireFeature(ctx, 'zookeeper')
    const { hosts } = await ensemble()
    const digest = 'mesos:se@cret'
    await announce(hosts, '10.0.0.4', { path: '/private', digest })
    const stranger = follow(`zk://${hosts}/private`)
    const liar = follow(`zk://mesos:guess@${hosts}/private`)
    const friend = follow(`zk://${digest}@${hosts}/private`)
    await expect.poll(addressOf(friend), PATIENT).toBe('10.0.0.4')
    for (const source of [stranger, liar]) {
      await expect.poll(() => source.status().problem?.code, PATIENT).toBe('ZOOKEEPER_FORBIDDEN')
      expect(source.status()).toMatchObject({ state: 'searching', leader: undefined })
    }
  })

  test(
    'a server that hangs is noticed; the session that expired is replaced',
    TIMEOUT,
    async (ctx) => {
      await requireFeature(ctx, 'zookeeper')
      const { hosts, servers } = await ensemble()
      const first = await announce(hosts, '10.0.0.1')
      const source = follow(`zk://${hosts}/mesos`)
      await expect.poll(addressOf(source), PATIENT).toBe('10.0.0.1')
      const seen: unknown[] = []
      source.onChange((leader) => seen.push(leader?.address))
      servers[0]?.freeze()
      try {
        const frozenMs = performance.now()
        await expect.poll(stateOf(source), PATIENT).toBe('stale')
        expect(performance.now() - frozenMs).toBeLessThan(5_000)
        expect(source.status().problem?.message).toContain('silent')
        expect(addressOf(source)()).toBe('10.0.0.1')
        // Longer than the session lasts.
        await expect.poll(() => performance.now() - frozenMs, PATIENT).toBeGreaterThan(2_500)
      } finally {
        servers[0]?.thaw()
      }
      await expect.poll(stateOf(source), PATIENT).toBe('current')
      expect(seen).toEqual([])
      await announce(hosts, '10.0.0.2')
      await withdraw(first)
      await expect.poll(addressOf(source), PATIENT).toBe('10.0.0.2')
    },
  )
})

describe('an ensemble of three', () => {
  let started: Promise<ZooKeeperEnsemble> | undefined
  const ensemble = () => (started ??= ZooKeeperEnsemble.start(3))

  afterAll(async () => (await started)?.close())

  test(
    'the member that we are connected to may go: the next one is asked',
    TIMEOUT,
    async (ctx) => {
      await requireFeature(ctx, 'zookeeper')
      const { hosts, servers } = await ensemble()
      const first = await announce(hosts, '10.0.0.1')
      await announce(hosts, '10.0.0.2')
      const source = follow(`zk://${hosts}/mesos`)
      await expect.poll(addressOf(source), PATIENT).toBe('10.0.0.1')
      await servers[0]?.stop()
      await expect.poll(() => problems, PATIENT).toContain('ZOOKEEPER_UNREACHABLE')
      await expect.poll(stateOf(source), PATIENT).toBe('current')
      await withdraw(first)
      await expect.poll(addressOf(source), PATIENT).toBe('10.0.0.2')
      servers[0]?.start()
      await servers[0]?.serving()
    },
  )

  test('when all are gone the leader stays, stale, until they are back', TIMEOUT, async (ctx) => {
    await requireFeature(ctx, 'zookeeper')
    const running = await ensemble()
    const first = await announce(running.hosts, '10.0.0.1')
    await announce(running.hosts, '10.0.0.2')
    const source = follow(`zk://${running.hosts}/mesos`)
    await expect.poll(addressOf(source), PATIENT).toBe('10.0.0.1')
    const beforeWallMs = systemClock.wallMs()
    await running.stopAll()
    await expect.poll(stateOf(source), PATIENT).toBe('stale')
    expect(source.status()).toMatchObject({
      leader: { address: '10.0.0.1', port: 5050, isTls: false },
      problem: { code: 'ZOOKEEPER_UNREACHABLE' },
    })
    expect(source.status().sinceWallMs).toBeGreaterThanOrEqual(beforeWallMs)
    await running.startAll()
    await expect.poll(stateOf(source), PATIENT).toBe('current')
    expect(addressOf(source)()).toBe('10.0.0.1')
    await withdraw(first)
    await expect.poll(addressOf(source), PATIENT).toBe('10.0.0.2')
  })
})
