/** Masters, ZooKeeper and the agent go and come in every order: nothing served changes meanwhile. */
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { requireFeature } from '../../feature.ts'
import { ZooKeeperEnsemble } from '../master/zookeeper-server.ts'
import { type Election, electionInMemory, electionInZooKeeper } from './elections.ts'
import { LossesStage, type Part } from './losses-stage.ts'

const PARTS: readonly Part[] = ['leader', 'masters', 'zookeeper', 'agent']
const ORDERS = permutations(PARTS)
/** Each order of loss has another one of return; each of these occurs as well. */
const CASES = ORDERS.map((losses, index) => {
  const returns = ORDERS[(index * 7 + 5) % ORDERS.length] ?? []
  return { losses, returns, name: `${losses.join(', ')}; back: ${returns.join(', ')}` }
})
const PATIENT = { timeout: 4_000, interval: 5 }
/** What was current may count as stale since it was last known to be so: a poll before. */
const POLL_MS = 1000

let stage: LossesStage | undefined

afterEach(async () => {
  await stage?.close()
  stage = undefined
})

function permutations<T>(items: readonly T[]): readonly (readonly T[])[] {
  if (items.length === 0) return [[]]
  return items.flatMap((item, index) =>
    permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]),
  )
}

/** How each source that is not current stands, and since when, as status says. */
type Sinces = Map<string, { readonly state: string; readonly since: string | undefined }>

/** What is stale becomes what should be, says since when, and says the same on. */
async function settle(running: LossesStage, sinces: Sinces, changedMs: number): Promise<void> {
  await expect.poll(() => running.standing, PATIENT).toEqual(running.expected)
  for (const { source, state, since } of running.sources) {
    const before = sinces.get(source)
    if (state === 'current') {
      expect(since).toBeUndefined()
      sinces.delete(source)
      continue
    }
    const sinceMs = Date.parse(since ?? '')
    expect(sinceMs).toBeLessThanOrEqual(systemClock.wallMs())
    if (before?.state === state) expect(since).toBe(before.since)
    else expect(sinceMs).toBeGreaterThanOrEqual(changedMs - POLL_MS)
    sinces.set(source, { state, since })
  }
}

async function endure(election: Election, { losses, returns }: (typeof CASES)[number]) {
  const running = await LossesStage.open(election)
  stage = running
  const { tasks } = running.mesos
  const web = running.launch('web')
  const phase = (key: string) => tasks.snapshot.rows.get(key as never)?.phase
  await expect.poll(() => phase(web), PATIENT).toBe('running')
  await expect.poll(() => running.told, PATIENT).toEqual([web])
  const sinces: Sinces = new Map()
  await settle(running, sinces, 0)

  const before = tasks.snapshot
  for (const part of losses) {
    const changedMs = systemClock.wallMs()
    await running.lose(part)
    await settle(running, sinces, changedMs)
    expect(tasks.snapshot).toBe(before)
    expect(running.told).toEqual([web])
  }
  expect([...sinces.values()].map(({ state }) => state)).toEqual(['stale', 'stale', 'stale'])
  const late = running.startTask('late')
  for (const part of returns) {
    if (phase(late) === undefined) expect(tasks.snapshot).toBe(before)
    const changedMs = systemClock.wallMs()
    await running.restore(part)
    await settle(running, sinces, changedMs)
    expect(tasks.snapshot.rows.get(web as never)).toBe(before.rows.get(web as never))
  }
  expect([...sinces]).toEqual([])
  await expect.poll(() => phase(late), PATIENT).toBe('running')
  await expect.poll(() => running.told, PATIENT).toEqual([late, web].sort())
}

describe('in any order, what is served stays and all is caught up: ZooKeeper in memory', () => {
  test.for(CASES)('$name', { timeout: 30_000 }, async (losses) => {
    await endure(electionInMemory(), losses)
  })
})

describe('in any order, what is served stays and all is caught up: ZooKeeper for real', () => {
  let started: Promise<ZooKeeperEnsemble> | undefined

  afterAll(async () => (await started)?.close())

  test.for(CASES)('$name', { timeout: 60_000 }, async (losses, ctx) => {
    await requireFeature(ctx, 'zookeeper')
    started ??= ZooKeeperEnsemble.start(1)
    const path = `/order-${CASES.indexOf(losses)}`
    await endure(electionInZooKeeper(await started, path), losses)
  })
})
