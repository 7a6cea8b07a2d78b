import fc from 'fast-check'
import { expect, test } from 'vitest'
import { assignSlots } from '../../../src/l4lb/planes/nftables/assign-slots.ts'
import { runs } from '../runs.ts'

const anyEndpoints = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 })

test.each([
  [[], ['a', 'b'], ['a', 'b']],
  [['a', 'b'], [], []],
  [
    ['a', 'b', 'c'],
    ['c', 'a'],
    ['a', 'c'],
  ],
  [
    ['a', 'b', 'c'],
    ['b', 'c'],
    ['c', 'b'],
  ],
  [
    ['a', 'a', 'b'],
    ['a', 'b', 'b'],
    ['a', 'b', 'b'],
  ],
  [
    ['a', 'b'],
    ['c', 'b', 'a'],
    ['a', 'b', 'c'],
  ],
])('from %j to %j it is %j', (held, wanted, expected) => {
  expect(assignSlots(held, wanted)).toEqual(expected)
})

test('gives all wanted endpoints and nothing else', () => {
  fc.assert(
    fc.property(anyEndpoints, anyEndpoints, (held, wanted) => {
      expect(assignSlots(held, wanted).sort()).toEqual([...wanted].sort())
    }),
    runs(500),
  )
})

test('changes as few slots as can be', () => {
  fc.assert(
    fc.property(anyEndpoints, anyEndpoints, (held, wanted) => {
      const assigned = assignSlots(held, wanted)
      const kept = assigned.filter((endpoint, slot) => held[slot] === endpoint).length
      expect(kept).toBe(keepable(held.slice(0, wanted.length), wanted))
    }),
    runs(500),
  )
})

test('takes slots that are missing for open ones', () => {
  const held: string[] = []
  held[2] = 'c'
  expect(assignSlots(held, ['a', 'b', 'c'])).toEqual(['a', 'b', 'c'])
})

/** How many of the held slots are of endpoints that are wanted as often. */
function keepable(held: readonly string[], wanted: readonly string[]): number {
  const names = new Set(held)
  const count = (list: readonly string[], name: string) =>
    list.filter((each) => each === name).length
  return [...names].reduce((sum, name) => sum + Math.min(count(held, name), count(wanted, name)), 0)
}
