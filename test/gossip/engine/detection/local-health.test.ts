import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LocalHealth } from '../../../../src/gossip/engine/detection/local-health.ts'

describe('local health', () => {
  test('is a score from 0 to 8 that each sign moves by one; times stretch by one more', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 40 }), (signs) => {
        const health = new LocalHealth()
        let expected = 0
        for (const isGood of signs) {
          if (isGood) health.improve()
          else health.worsen()
          expected = Math.min(8, Math.max(0, expected + (isGood ? -1 : 1)))
          expect(health.score).toBe(expected)
          expect(health.factor).toBe(expected + 1)
        }
      }),
    )
  })
})
