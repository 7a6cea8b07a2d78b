import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ReplayWindow, WINDOW_COUNTERS } from '../../../src/gossip/transport/replay-window.ts'

test('a counter is taken once, and never when it is too old', () => {
  const steps = fc.array(fc.oneof(fc.nat(3000), fc.nat(40), fc.nat(2 ** 40)), { maxLength: 400 })
  fc.assert(
    fc.property(steps, (counters) => {
      const window = new ReplayWindow()
      const taken = new Set<number>()
      let next = 0
      for (const counter of counters) {
        const isNew = !taken.has(counter) && counter >= next - WINDOW_COUNTERS
        expect(window.isFresh(counter)).toBe(isNew)
        expect(window.take(counter)).toBe(isNew)
        taken.add(counter)
        next = Math.max(next, counter + 1)
      }
    }),
  )
})

test('a whole window may come in reverse', () => {
  const window = new ReplayWindow()
  for (let counter = WINDOW_COUNTERS - 1; counter >= 0; counter--)
    expect(window.take(counter)).toBe(true)
  expect(window.take(WINDOW_COUNTERS)).toBe(true)
  for (let counter = 0; counter <= WINDOW_COUNTERS; counter++)
    expect(window.take(counter)).toBe(false)
})
