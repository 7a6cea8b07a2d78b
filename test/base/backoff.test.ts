import fc from 'fast-check'
import { expect, test } from 'vitest'
import { backoffMs } from '../../src/base/backoff.ts'
import { seededRandom } from '../../src/base/random.ts'

const policy = { baseMs: 100, maxMs: 1000 }

test.for([
  [0, 100],
  [1, 200],
  [2, 400],
  [3, 800],
  [4, 1000],
  [5000, 1000],
] as const)('after %i failures the wait is at most %i ms', ([failures, ceilingMs]) => {
  expect(backoffMs(policy, failures, { next: () => 0 })).toBe(ceilingMs / 2)
  expect(backoffMs(policy, failures, { next: () => 0.999 })).toBeCloseTo(ceilingMs, -1)
})

test('the wait is never shorter than half its ceiling, nor longer', () => {
  fc.assert(
    fc.property(fc.nat(100), fc.integer(), (failures, seed) => {
      const waitMs = backoffMs(policy, failures, seededRandom(seed))
      const ceilingMs = Math.min(1000, 100 * 2 ** failures)
      expect(waitMs).toBeGreaterThanOrEqual(ceilingMs / 2)
      expect(waitMs).toBeLessThanOrEqual(ceilingMs)
    }),
  )
})

test('seeded dice repeat for their seed, differ for another, and stay in range', () => {
  const rolls = (seed: number) => {
    const random = seededRandom(seed)
    return Array.from({ length: 1000 }, () => random.next())
  }
  expect(rolls(7)).toEqual(rolls(7))
  expect(rolls(7)).not.toEqual(rolls(8))
  expect(rolls(7).every((roll) => roll >= 0 && roll < 1)).toBe(true)
  const mean = rolls(7).reduce((sum, roll) => sum + roll, 0) / 1000
  expect(mean).toBeCloseTo(0.5, 1)
})
