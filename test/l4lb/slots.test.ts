import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SLOT_LIMIT, slotsOf } from '../../src/l4lb/slots.ts'
import type { Backend } from '../../src/model/vip.ts'
import { ip, port } from './records.ts'
import { runs } from './runs.ts'

function backends(...weights: readonly number[]): Backend[] {
  return weights.map((weight, index) => ({
    address: ip('10.0.0.1'),
    port: port(index + 1),
    weight,
  }))
}

/** How many slots each backend has. */
function counts(...weights: readonly number[]): number[] {
  const slots = slotsOf(backends(...weights))
  return weights.map((_, index) => slots.filter((slot) => slot.port === index + 1).length)
}

describe('slots', () => {
  test.each([
    [[], []],
    [[0], [0]],
    [
      [0, 0],
      [0, 0],
    ],
    [[1], [1]],
    [[7], [1]],
    [
      [1, 1, 1],
      [1, 1, 1],
    ],
    [
      [2, 4, 6],
      [1, 2, 3],
    ],
    [
      [3, 5],
      [3, 5],
    ],
    [
      [2, 0, 2],
      [1, 0, 1],
    ],
    [
      [1, 1023],
      [1, 1023],
    ],
  ])('weights %j are %j slots', (weights, expected) => {
    expect(counts(...weights)).toEqual(expected)
  })

  test('a sum beyond the limit is scaled; the light ones keep a slot', () => {
    const [light = 0, heavy = 0] = counts(1, 1_000_000)
    expect(light).toBe(1)
    expect(heavy).toBeGreaterThan(1000)
    expect(light + heavy).toBeLessThanOrEqual(SLOT_LIMIT)
  })

  test('more backends than the limit have a slot each', () => {
    const many = Array.from({ length: SLOT_LIMIT + 100 }, (_, index) => 1 + (index % 3))
    expect(counts(...many)).toEqual(many.map(() => 1))
  })

  test('are in proportion, within the limit, one at least for every weight above 0', () => {
    const weight = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 1_000_000 }))
    fc.assert(
      fc.property(fc.array(weight, { maxLength: 50 }), (weights) => {
        const shares = counts(...weights)
        const total = shares.reduce((sum, share) => sum + share, 0)
        expect(total).toBeLessThanOrEqual(Math.max(SLOT_LIMIT, weights.length))
        weights.forEach((each, index) => {
          const share = shares[index] ?? 0
          expect(share > 0).toBe(each > 0)
          const lighter = weights.findIndex(
            (other, at) => other < each && (shares[at] ?? 0) > share,
          )
          expect(lighter).toBe(-1)
        })
      }),
      runs(200),
    )
  })
})
