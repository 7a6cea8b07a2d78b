import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NavstarError } from '../../src/base/error.ts'
import { seededRandom } from '../../src/base/random.ts'
import { type Reconciled, Reconciler } from '../../src/base/reconcile.ts'
import { VirtualClock } from '../../src/base/virtual-clock.ts'

const AUDIT = { minIntervalMs: 1000, maxIntervalMs: 10_000, maxShare: 0.02 }
const BACKOFF = { baseMs: 100, maxMs: 1000 }

/** A kernel of numbers: desired ones are added, and nothing is ever removed. */
class Numbers implements Reconciled<number> {
  readonly calls: string[] = []
  readonly kernel = new Set<number>()
  desired: readonly number[] = []
  auditCostMs = 0
  refused: number | undefined
  isUnreadable = false
  isAuditBroken = false
  #observed = new Set<number>()
  readonly #clock: VirtualClock

  constructor(clock: VirtualClock) {
    this.#clock = clock
  }

  async observe(): Promise<void> {
    this.calls.push('observe')
    if (this.isUnreadable) throw new Error('unreadable')
    this.#observed = new Set(this.kernel)
  }

  plan(): readonly number[] {
    return this.desired.filter((number) => !this.#observed.has(number))
  }

  async apply(operations: readonly number[]): Promise<readonly NavstarError[]> {
    this.calls.push(`apply ${operations.join(' ')}`)
    const done = operations.filter((number) => number !== this.refused)
    for (const number of done) {
      this.kernel.add(number)
      this.#observed.add(number)
    }
    if (done.length === operations.length) return []
    return [new NavstarError('KERNEL_OPERATION_FAILED', { attempt: `add ${this.refused}` })]
  }

  async audit(): Promise<boolean> {
    this.calls.push('audit')
    if (this.isAuditBroken) throw new Error('unreadable')
    if (this.auditCostMs > 0) {
      await this.#clock.sleep(this.auditCostMs, { signal: new AbortController().signal })
    }
    return this.kernel.size === this.#observed.size
  }
}

let clock: VirtualClock
let target: Numbers
let reconciler: Reconciler<number>
let events: string[]
let abort: AbortController
let running: Promise<void> | undefined

beforeEach(() => {
  clock = new VirtualClock()
  target = new Numbers(clock)
  events = []
  reconciler = new Reconciler({
    target,
    clock,
    random: seededRandom(1),
    audit: AUDIT,
    backoff: BACKOFF,
    events: {
      onDrift: (found) => void events.push(`drift ${found}`),
      onFailure: ({ code }, failures) => void events.push(`${code} ${failures}`),
      onApplied: ({ operations }) => void events.push(`applied ${operations.length}`),
    },
  })
  abort = new AbortController()
  running = undefined
})

afterEach(async () => {
  abort.abort()
  await clock.advance(1000) // an audit may be under way
  await running
})

/** Starts the loop if needed and lets it go on. @returns what it did since the last call */
async function settle(durationMs = 0): Promise<string> {
  running ??= reconciler.run(abort.signal)
  await clock.advance(durationMs)
  return target.calls.splice(0).join(', ')
}

describe('the reconcile loop', () => {
  test('observes once, then plans against what it knows', async () => {
    target.desired = [1]
    expect(await settle()).toBe('observe, apply 1, audit')
    target.desired = [1, 2]
    reconciler.wake()
    expect(await settle()).toBe('apply 2')
    expect(reconciler.status).toMatchObject({ isInSync: true, failures: 0 })
  })

  test('takes many wake-ups for one', async () => {
    await settle()
    target.desired = [1, 2, 3]
    for (let times = 0; times < 100; times++) reconciler.wake()
    expect(reconciler.status.isInSync).toBe(false)
    expect(await settle()).toBe('apply 1 2 3')
    expect(await settle()).toBe('')
  })

  test('reads the kernel anew after a foreign write', async () => {
    target.desired = [1]
    await settle()
    target.kernel.clear()
    reconciler.invalidate('table')
    expect(await settle()).toBe('observe, apply 1')
    expect(events).toContain('drift table')
    expect(reconciler.status).toMatchObject({ isInSync: true, drifts: 1 })
  })

  test('refreshes without calling it drift', async () => {
    await settle()
    reconciler.refresh()
    expect(await settle()).toBe('observe')
    expect(reconciler.status.drifts).toBe(0)
  })

  test('audits at its interval and repairs what an audit finds', async () => {
    target.desired = [1]
    await settle()
    expect(await settle(999)).toBe('')
    expect(await settle(1)).toBe('audit')
    target.kernel.clear()
    expect(await settle(1000)).toBe('audit, observe, apply 1')
    expect(events).toContain('drift audit')
  })

  test('audits although wake-ups never end', async () => {
    await settle()
    for (let elapsedMs = 0; elapsedMs < 1000; elapsedMs += 100) {
      reconciler.wake()
      await clock.advance(100)
    }
    expect(target.calls.filter((call) => call === 'audit')).toHaveLength(1)
  })

  test.each([
    [10, 1000],
    [30, 1500],
    [100, 5000],
    [500, 10_000],
  ])('an audit that takes %i ms is repeated after %i ms', async (costMs, intervalMs) => {
    target.auditCostMs = costMs
    await settle(costMs)
    expect(await settle(intervalMs - 1)).toBe('')
    expect(await settle(1)).toBe('audit')
    if (intervalMs < AUDIT.maxIntervalMs) {
      expect(costMs / (costMs + intervalMs)).toBeLessThanOrEqual(AUDIT.maxShare)
    }
  })

  test('reads the kernel after an audit that failed', async () => {
    target.isAuditBroken = true
    expect(await settle()).toBe('observe, audit, observe')
    expect(events).toContain('UNEXPECTED 0')
  })

  test('waits longer the more often it fails, and observes before each attempt', async () => {
    target.desired = [1, 2]
    target.refused = 2
    expect(await settle()).toBe('observe, apply 1 2')
    const waits: number[] = []
    for (let attempt = 0; attempt < 6; attempt++) {
      const startMs = clock.nowMs()
      while (target.calls.length === 0) await clock.advance(1)
      waits.push(clock.nowMs() - startMs)
      expect(target.calls.splice(0).join(', ')).toBe('observe, apply 2')
    }
    waits.forEach((waitMs, failures) => {
      const ceilingMs = Math.min(BACKOFF.maxMs, BACKOFF.baseMs * 2 ** failures)
      expect(waitMs).toBeGreaterThanOrEqual(ceilingMs / 2)
      expect(waitMs).toBeLessThanOrEqual(ceilingMs + 1)
    })
    expect(reconciler.status).toMatchObject({
      isInSync: false,
      failures: 6,
      lastError: { code: 'KERNEL_OPERATION_FAILED' },
    })
  })

  test('begins anew with short waits after a success', async () => {
    target.desired = [1]
    target.refused = 1
    await settle(3000)
    target.refused = undefined
    await settle(1000)
    expect(reconciler.status).toMatchObject({ isInSync: true, failures: 0 })
    expect(reconciler.status.lastError).toBeUndefined()
    target.desired = [1, 2]
    target.refused = 2
    reconciler.wake()
    await settle()
    expect(events.at(-1)).toBe('KERNEL_OPERATION_FAILED 1')
    expect(await settle(BACKOFF.baseMs)).toContain('apply 2')
  })

  test('changes nothing that it could not read', async () => {
    target.desired = [1]
    target.isUnreadable = true
    expect(await settle()).toBe('observe')
    expect(reconciler.status.isInSync).toBe(false)
    target.isUnreadable = false
    expect(await settle(BACKOFF.baseMs)).toBe('observe, apply 1, audit')
  })

  test('ends when aborted, while it waits for work and while it waits after a failure', async () => {
    await settle()
    abort.abort()
    await running
    expect(clock.sleeperCount).toBe(0)
    target.isUnreadable = true
    const other = new AbortController()
    reconciler.refresh()
    const again = reconciler.run(other.signal)
    await settle()
    expect(clock.sleeperCount).toBe(1)
    other.abort()
    await again
    expect(clock.sleeperCount).toBe(0)
  })
})
