import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Rings } from '../../../../src/gossip/engine/spread/rings.ts'
import { RING_COUNT } from '../../../../src/gossip/engine/statements.ts'
import type { NodeId } from '../../../../src/model/node-id.ts'
import { anyNode } from '../../wire/any-message.ts'
import { idOf } from '../nodes.ts'

/** The neighbours by sorting, as the note on the protocol tells it. */
function neighboursOf(
  self: NodeId,
  nodes: readonly NodeId[],
): Record<'successors' | 'all', Set<NodeId>> {
  const successors = new Set<NodeId>()
  const all = new Set<NodeId>()
  for (let ring = 0; ring < RING_COUNT; ring++) {
    const digits = (node: NodeId) => node.slice(8 * ring, 8 * ring + 8)
    const circle = [self, ...nodes].sort((a, b) => (digits(a) < digits(b) ? -1 : 1))
    const at = circle.indexOf(self)
    const next = circle[(at + 1) % circle.length]
    const previous = circle[(at + circle.length - 1) % circle.length]
    if (next !== undefined && next !== self) successors.add(next)
    for (const node of [next, previous]) if (node !== undefined && node !== self) all.add(node)
  }
  return { successors, all }
}

function expectNeighbours(rings: Rings, expected: ReturnType<typeof neighboursOf>): void {
  expect(new Set(rings.successors)).toEqual(expected.successors)
  expect(new Set(rings.all)).toEqual(expected.all)
}

const anyNodes = fc.uniqueArray(anyNode, {
  // two nodes at the same place of a ring: whichever was there first stays, 2^-32 each
  comparator: (a, b) => [0, 8, 16, 24].some((at) => a.slice(at, at + 8) === b.slice(at, at + 8)),
  minLength: 1,
  maxLength: 20,
})

describe('rings', () => {
  test('have as neighbours the next and the previous eligible node of each order', () => {
    fc.assert(
      fc.property(
        anyNodes,
        fc.infiniteStream(fc.boolean()),
        ([self = idOf('0'), ...nodes], dice) => {
          const eligible = new Set(nodes.filter(() => dice.next().value === true))
          const rings = new Rings(self, {
            nodes: () => [self, ...nodes],
            isEligible: (node) => eligible.has(node),
          })
          expectNeighbours(rings, neighboursOf(self, [...eligible]))
        },
      ),
    )
  })

  test('never miss a change that they are told of, and are not asked to look at the rest', () => {
    const anyCase = anyNodes.chain((nodes) =>
      fc.tuple(
        fc.constant(nodes),
        fc.array(fc.record({ pick: fc.nat(), isRead: fc.boolean() }), { maxLength: 60 }),
      ),
    )
    fc.assert(
      fc.property(anyCase, ([[self = idOf('0'), ...nodes], steps]) => {
        const eligible = new Set<NodeId>()
        const rings = new Rings(self, {
          nodes: () => nodes,
          isEligible: (node) => eligible.has(node),
        })
        for (const { pick, isRead } of steps) {
          const node: NodeId | undefined = nodes[pick % Math.max(1, nodes.length)]
          if (node === undefined) continue
          if (!eligible.delete(node)) eligible.add(node)
          rings.note(node)
          if (isRead) expectNeighbours(rings, neighboursOf(self, [...eligible]))
        }
        expectNeighbours(rings, neighboursOf(self, [...eligible]))
      }),
      { numRuns: 300 },
    )
  })

  test('are not counted anew for a node that is not next to this one', () => {
    const [self, near, far] = ['00', '01', '7f'].map((digits) => digits.repeat(16) as NodeId)
    const behind = 'ff'.repeat(16) as NodeId
    if (self === undefined || near === undefined || far === undefined) throw new Error('ids')
    const eligible = new Set([near, behind])
    let counts = 0
    const rings = new Rings(self, {
      nodes: () => {
        counts++
        return [near, far, behind]
      },
      isEligible: (node) => eligible.has(node),
    })
    expect(rings.all).toEqual(new Set([near, behind]))
    eligible.add(far)
    rings.note(far)
    rings.note(near)
    expect(rings.all).toEqual(new Set([near, behind]))
    expect(counts).toBe(1)
    eligible.delete(near)
    rings.note(near)
    expect(rings.successors).toEqual(new Set([far]))
    expect(counts).toBe(2)
  })

  test('leave nobody without neighbours: links of all nodes together stay in one piece without a third', () => {
    const anyCluster = fc.uniqueArray(anyNode, { minLength: 30, maxLength: 60 })
    fc.assert(
      fc.property(anyCluster, (nodes) => {
        const living = nodes.filter((_, index) => index % 3 !== 0)
        const linksOf = (self: NodeId) =>
          new Rings(self, { nodes: () => nodes, isEligible: (node) => living.includes(node) }).all
        const reached = new Set(living.slice(0, 1))
        for (const node of reached) for (const peer of linksOf(node)) reached.add(peer)
        expect(reached.size).toBe(living.length)
      }),
      { numRuns: 10 },
    )
  })
})
