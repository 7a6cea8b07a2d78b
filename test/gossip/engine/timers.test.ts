import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Timer, Timers } from '../../../src/gossip/engine/timers.ts'

/** Timers, and a list that does the same in the simplest way. */
class TimersAndList {
  #nowMs = 0
  readonly timers: Timers = new Timers(() => this.#nowMs)
  readonly ran: number[] = []
  readonly listRan: number[] = []
  readonly #handles: Timer[] = []
  readonly #list = new Map<number, number>()

  get listDueMs(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...this.#list.values())
  }

  add(delayMs: number): void {
    const id = this.#handles.length
    this.#handles.push(this.timers.after(delayMs, () => this.ran.push(id)))
    this.#list.set(id, this.#nowMs + delayMs)
  }

  cancel(pick: number): void {
    const id = pick % Math.max(1, this.#handles.length)
    this.#handles[id]?.cancel()
    this.#list.delete(id)
  }

  pass(ms: number): void {
    this.#nowMs += ms
    this.timers.fire()
    const due = [...this.#list].filter(([, dueMs]) => dueMs <= this.#nowMs)
    for (const [id] of due.sort(([i, a], [j, b]) => a - b || i - j)) {
      this.#list.delete(id)
      this.listRan.push(id)
    }
  }
}

describe('timers', () => {
  test('run in the order of their times, and of their age where times are equal', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 }), (delays) => {
        const nowMs = { value: 0 }
        const timers = new Timers(() => nowMs.value)
        const ran: (readonly [number, number])[] = []
        for (const [age, delay] of delays.entries()) {
          timers.after(delay, () => ran.push([delay, age]))
        }
        nowMs.value = 20
        timers.fire()
        expect(ran).toEqual(
          delays
            .map((delay, age) => [delay, age] as const)
            .sort(([a, i], [b, j]) => a - b || i - j),
        )
        expect(timers.nextDueMs).toBe(Number.POSITIVE_INFINITY)
      }),
    )
  })

  test('agree with a list that is sorted anew each time, whatever is added and cancelled', () => {
    const anyStep = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), delay: fc.integer({ min: 0, max: 30 }) }),
      fc.record({ kind: fc.constant('cancel' as const), pick: fc.nat() }),
      fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 15 }) }),
    )
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 80 }), (steps) => {
        const pair = new TimersAndList()
        for (const step of steps) {
          if (step.kind === 'add') pair.add(step.delay)
          else if (step.kind === 'cancel') pair.cancel(step.pick)
          else pair.pass(step.ms)
          expect(pair.timers.nextDueMs).toBe(pair.listDueMs)
        }
        expect(pair.ran).toEqual(pair.listRan)
      }),
    )
  })

  test('do not run before their time, and tell how late they run', () => {
    const nowMs = { value: 100 }
    const timers = new Timers(() => nowMs.value)
    const lateness: number[] = []
    timers.after(50, (lateMs) => lateness.push(lateMs))
    nowMs.value = 149
    timers.fire()
    expect(lateness).toEqual([])
    nowMs.value = 175
    timers.fire()
    expect(lateness).toEqual([25])
  })

  test('run what a running one adds and is due already, in the same call', () => {
    const nowMs = { value: 0 }
    const timers = new Timers(() => nowMs.value)
    const ran: string[] = []
    timers.after(5, () => {
      ran.push('first')
      timers.after(0, () => ran.push('added'))
      timers.after(1, () => ran.push('later'))
    })
    nowMs.value = 5
    timers.fire()
    expect(ran).toEqual(['first', 'added'])
    expect(timers.nextDueMs).toBe(6)
  })

  test('do not run once cancelled, even by one that runs at the same time', () => {
    const nowMs = { value: 0 }
    const timers = new Timers(() => nowMs.value)
    const ran: string[] = []
    const second: { timer?: Timer } = {}
    timers.after(1, () => {
      ran.push('first')
      second.timer?.cancel()
    })
    second.timer = timers.after(1, () => ran.push('second'))
    nowMs.value = 1
    timers.fire()
    expect(ran).toEqual(['first'])
  })

  test('keep quiet when one that ran is cancelled', () => {
    const timers = new Timers(() => 0)
    let count = 0
    const timer = timers.after(0, () => count++)
    timers.fire()
    timer.cancel()
    timers.fire()
    expect(count).toBe(1)
  })
})
