import fc from 'fast-check'
import { expect, test } from 'vitest'
import { slotSetOf } from '../../../src/l4lb/planes/ebpf/slot-set.ts'
import { maglevSize, maglevTable } from '../../../src/l4lb/planes/maglev.ts'
import { type Backend, formatEndpoint } from '../../../src/model/vip.ts'
import { runs } from '../runs.ts'
import { service } from '../services.ts'

function backends(count: number, weightOf = (_: number) => 1): Backend[] {
  const texts = Array.from(
    { length: count },
    (_, at) => `10.0.${at >> 8}.${at & 255}:80 x${weightOf(at)}`,
  )
  return [...service('tcp/11.0.0.1/80', ...texts).backends]
}

test.each([
  [1, 64],
  [4, 64],
  [5, 128],
  [64, 1024],
  [1024, 16_384],
  [20_000, 32_768],
])('a table for %i backends has %i places', (count, size) => {
  expect(maglevSize(count)).toBe(size)
})

test('all places are taken, by weight, and each backend has one', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 40 }),
      (weights) => {
        const all = backends(weights.length, (at) => weights[at] ?? 1)
        const table = maglevTable(all)
        expect(table.length).toBe(maglevSize(all.length))
        const total = weights.reduce((sum, weight) => sum + weight)
        for (const backend of all) {
          const share = table.filter((each) => each === backend).length
          expect(Math.abs(share - (table.length * backend.weight) / total)).toBeLessThanOrEqual(2)
          expect(share).toBeGreaterThan(0)
        }
      },
    ),
    runs(100),
  )
})

test('few places change beside those of a backend that goes', () => {
  const all = backends(20)
  const before = maglevTable(all)
  for (const gone of all) {
    const after = maglevTable(all.filter((each) => each !== gone))
    const moved = before.filter((each, place) => each !== gone && after[place] !== each)
    expect(moved.length / before.length).toBeLessThan(0.15)
  }
})

test('slots hold each backend once first, whatever the order that they come in', () => {
  const all = backends(5, (at) => at % 4)
  for (const algorithm of ['random', 'maglev'] as const) {
    const choosing = {
      algorithm,
      affinitySeconds: 0,
      connectionLimit: 0,
      drain: 'graceful',
    } as const
    const { slots, value } = slotSetOf(all, choosing)
    const heads = slots.slice(value.firstHead, value.firstHead + value.heads)
    expect(heads.map(formatEndpoint).sort()).toEqual(
      all.filter(({ weight }) => weight > 0).map(formatEndpoint),
    )
    expect(slotSetOf(all.toReversed(), choosing)).toEqual({ slots, value })
  }
})
