import { describe, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { VirtualClock } from '../../src/base/virtual-clock.ts'

const { signal } = new AbortController()

describe('the virtual clock', () => {
  test('wakes sleepers in the order in which they are due, at their time', async () => {
    const clock = new VirtualClock()
    const woken: string[] = []
    const sleep = (name: string, durationMs: number) =>
      clock.sleep(durationMs, { signal }).then(() => woken.push(`${name}@${clock.nowMs()}`))
    void sleep('late', 300)
    void sleep('early', 100)
    void sleep('never', 501)
    await clock.advance(500)
    expect(woken).toEqual(['early@100', 'late@300'])
    expect(clock.nowMs()).toBe(500)
    expect(clock.sleeperCount).toBe(1)
  })

  test('wakes who falls asleep again on the way', async () => {
    const clock = new VirtualClock()
    const ticks: number[] = []
    const tick = async () => {
      for (;;) {
        await clock.sleep(100, { signal })
        ticks.push(clock.nowMs())
      }
    }
    void tick()
    await clock.advance(350)
    expect(ticks).toEqual([100, 200, 300])
  })

  test('stands still unless moved', async () => {
    const clock = new VirtualClock()
    const before = clock.wallMs()
    await clock.advance(0)
    expect([clock.nowMs(), clock.wallMs() - before]).toEqual([0, 0])
    await clock.advance(10)
    expect([clock.nowMs(), clock.wallMs() - before]).toEqual([10, 10])
  })

  test('forgets a sleeper that is aborted', async () => {
    const clock = new VirtualClock()
    const abort = new AbortController()
    const sleeping = clock.sleep(100, { signal: abort.signal })
    abort.abort(new Error('stop'))
    await expect(sleeping).rejects.toThrow('stop')
    expect(clock.sleeperCount).toBe(0)
    expect(() => clock.sleep(1, { signal: abort.signal })).toThrow('stop')
  })
})

describe('the clock of the machine', () => {
  test('rejects a sleep with the reason of the abort, and does not sleep when aborted before', async () => {
    const abort = new AbortController()
    const sleeping = systemClock.sleep(60_000, { signal: abort.signal })
    const reason = new Error('stop')
    abort.abort(reason)
    await expect(sleeping).rejects.toBe(reason)
    await expect(systemClock.sleep(60_000, { signal: abort.signal })).rejects.toBe(reason)
  })

  test('calls back after a while, unless that is cancelled', async () => {
    const called: string[] = []
    systemClock.after(1, () => called.push('cancelled'))()
    await new Promise<void>((resolve) => systemClock.after(2, resolve))
    expect(called).toEqual([])
  })

  test('only grows and knows the date', () => {
    const startMs = systemClock.nowMs()
    expect(systemClock.nowMs()).toBeGreaterThanOrEqual(startMs)
    expect(new Date(systemClock.wallMs()).getUTCFullYear()).toBeGreaterThan(2023)
  })

  test('sleeps until it is over or aborted', async () => {
    const startMs = systemClock.nowMs()
    await systemClock.sleep(5, { signal })
    expect(systemClock.nowMs() - startMs).toBeGreaterThanOrEqual(4)
    const abort = new AbortController()
    const sleeping = systemClock.sleep(60_000, { signal: abort.signal })
    abort.abort(new Error('stop'))
    await expect(sleeping).rejects.toThrow()
  })
})
