import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type DigestRow,
  DigestTree,
  FANOUT,
  isSameDigest,
  rangeOf,
  ZERO_DIGEST,
} from '../../../../src/gossip/engine/sync/digest-tree.ts'
import { anyNode } from '../../wire/any-message.ts'
import { idOf } from '../nodes.ts'

const anyVersion = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.maxSafeNat())
const anyRow: fc.Arbitrary<DigestRow> = fc.record({
  node: anyNode,
  incarnation: anyVersion,
  isAccused: fc.boolean(),
  held: anyVersion,
})
const anyRows = fc.uniqueArray(anyRow, { selector: ({ node }) => node, maxLength: 30 })

function treeOf(rows: readonly DigestRow[]): DigestTree {
  const tree = new DigestTree()
  for (const row of rows) tree.toggle(row)
  return tree
}

/** Everything that a tree tells: the root, 16 ranges, 256 ranges. */
function digestsOf(tree: DigestTree): unknown {
  const below = Array.from({ length: FANOUT }, (_, digit) => tree.below(digit))
  return { root: tree.root, ranges: tree.ranges, below }
}

describe('a digest tree', () => {
  test('is the same for the same rows in any order', () => {
    const anyShuffle = anyRows.chain((rows) =>
      fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length })),
    )
    fc.assert(
      fc.property(anyShuffle, ([rows, shuffled]) => {
        expect(digestsOf(treeOf(shuffled))).toEqual(digestsOf(treeOf(rows)))
      }),
    )
  })

  test('is as before when a row comes and goes', () => {
    fc.assert(
      fc.property(anyRows, anyRow, (rows, row) => {
        expect(digestsOf(treeOf([...rows, row, row]))).toEqual(digestsOf(treeOf(rows)))
      }),
    )
  })

  const changes: readonly (readonly [string, (row: DigestRow) => DigestRow])[] = [
    ['incarnation', (row) => ({ ...row, incarnation: row.incarnation ^ 1 })],
    ['high bits of the incarnation', (row) => ({ ...row, incarnation: row.incarnation + 2 ** 40 })],
    ['accusation', (row) => ({ ...row, isAccused: !row.isAccused })],
    ['held version', (row) => ({ ...row, held: row.held ^ 1 })],
    ['high bits of the held version', (row) => ({ ...row, held: row.held + 2 ** 40 })],
  ]
  test.each(changes)(
    'changes in the root and exactly the ranges of a node with its %s',
    (_, change) => {
      const anySmallRow = fc.record({
        node: anyNode,
        incarnation: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
        isAccused: fc.boolean(),
        held: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      })
      fc.assert(
        fc.property(anyRows, anySmallRow, (rows, row) => {
          const others = rows.filter(({ node }) => node !== row.node)
          const before = treeOf([...others, row])
          const after = treeOf([...others, change(row)])
          expect(isSameDigest(before.root, after.root)).toBe(false)
          const leaf = rangeOf(row.node)
          for (let digit = 0; digit < FANOUT; digit++) {
            const isSame = isSameDigest(before.ranges[digit], after.ranges[digit])
            expect(isSame).toBe(digit !== leaf >> 4)
            for (let second = 0; second < FANOUT; second++) {
              const [left, right] = [before.below(digit)[second], after.below(digit)[second]]
              expect(isSameDigest(left, right)).toBe(digit * FANOUT + second !== leaf)
            }
          }
        }),
        { numRuns: 40 },
      )
    },
  )

  test('has for each range the XOR of the ranges below it', () => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        const tree = treeOf(rows)
        const xor = (digests: readonly { high: number; low: number }[]) =>
          digests.reduce(
            (sum, { high, low }) => ({ high: (sum.high ^ high) >>> 0, low: (sum.low ^ low) >>> 0 }),
            ZERO_DIGEST,
          )
        expect(xor(tree.ranges)).toEqual(tree.root)
        for (const [digit, range] of tree.ranges.entries()) {
          expect(xor(tree.below(digit))).toEqual(range)
        }
      }),
    )
  })

  test('is zero without rows', () => {
    expect(new DigestTree().root).toEqual(ZERO_DIGEST)
  })

  test('tells nodes apart that share their first half', () => {
    const row = { incarnation: 1, isAccused: false, held: 1 }
    const one = treeOf([{ ...row, node: idOf('00000000') }])
    const other = treeOf([{ ...row, node: idOf('0000000000000001') }])
    expect(one.root).not.toEqual(other.root)
  })

  test.each([
    ['00', 0],
    ['0f', 15],
    ['a3', 163],
    ['ff', 255],
  ] as const)('puts ids that begin with %s in range %i', (digits, range) => {
    expect(rangeOf(idOf(digits))).toBe(range)
  })

  test.each([
    { of: 'nothing and nothing', left: undefined, right: undefined, isSame: true },
    { of: 'nothing and zero', left: undefined, right: ZERO_DIGEST, isSame: false },
    {
      of: 'another high word',
      left: { high: 1, low: 2 },
      right: { high: 3, low: 2 },
      isSame: false,
    },
    {
      of: 'another low word',
      left: { high: 1, low: 2 },
      right: { high: 1, low: 3 },
      isSame: false,
    },
    { of: 'equal words', left: { high: 1, low: 2 }, right: { high: 1, low: 2 }, isSame: true },
  ])('compares $of', ({ left, right, isSame }) => {
    expect(isSameDigest(left, right)).toBe(isSame)
  })
})
