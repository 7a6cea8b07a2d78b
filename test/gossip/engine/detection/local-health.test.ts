import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LocalHealth } from '../../../../src/gossip/engine/detection/local-health.ts'

/** The score after signs, told plainly. */
class Model {
  score = 0
  #changedMs = Number.NEGATIVE_INFINITY

  note(isGood: boolean, nowMs: number): void {
    const isTooEarly = isGood && nowMs - this.#changedMs < 1000
    if (isTooEarly || (isGood && this.score === 0)) return
    this.score = Math.min(8, this.score + (isGood ? -1 : 1))
    this.#changedMs = nowMs
  }
}

describe('local health', () => {
  test('is a score from 0 to 8: a bad sign counts at once, a good one a second after the last change', () => {
    const sign = fc.record({ isGood: fc.boolean(), afterMs: fc.integer({ min: 0, max: 3000 }) })
    fc.assert(
      fc.property(fc.array(sign, { maxLength: 40 }), (signs) => {
        const health = new LocalHealth()
        const model = new Model()
        let nowMs = 0
        for (const { isGood, afterMs } of signs) {
          nowMs += afterMs
          if (isGood) health.improve(nowMs)
          else health.worsen(nowMs)
          model.note(isGood, nowMs)
          expect(health.score).toBe(model.score)
          expect(health.factor).toBe(model.score + 1)
        }
      }),
    )
  })
})
