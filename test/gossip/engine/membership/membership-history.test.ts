import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../../src/base/random.ts'
import { Membership } from '../../../../src/gossip/engine/membership/membership.ts'
import type { Accusation, Announcement } from '../../../../src/gossip/engine/statements.ts'
import { DigestTree } from '../../../../src/gossip/engine/sync/digest-tree.ts'
import type { NodeId } from '../../../../src/model/node-id.ts'
import { accuse, announce, nodeOf, notaryOf } from '../nodes.ts'

const names = ['a', 'b', 'c', 'd', 'e']
const anyName = fc.constantFrom(...names)
const anyIncarnation = fc.integer({ min: 1, max: 4 })

/** What can happen to a membership, as its users drive it: statements only when they are news. */
type Step =
  | {
      readonly kind: 'announce'
      readonly name: string
      readonly incarnation: number
      readonly isLeaving: boolean
    }
  | {
      readonly kind: 'accuse'
      readonly name: string
      readonly accuser: string
      readonly incarnation: number
    }
  | { readonly kind: 'hold'; readonly name: string; readonly version: number }
  | { readonly kind: 'dead' | 'forget' | 'lose'; readonly name: string }

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('announce' as const),
      name: anyName,
      incarnation: anyIncarnation,
      isLeaving: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('accuse' as const),
      name: anyName,
      accuser: anyName,
      incarnation: anyIncarnation,
    }),
  },
  fc.record({ kind: fc.constant('hold' as const), name: anyName, version: fc.nat(9) }),
  fc.record({
    kind: fc.constantFrom('dead' as const, 'forget' as const, 'lose' as const),
    name: anyName,
  }),
)

/** Takes a statement over if it is news, as the intake does. */
function takeStatement(membership: Membership, statement: Accusation | Announcement): void {
  if (statement.kind === 'announcement') {
    if (membership.verdictOnAnnouncement(statement) === 'new') membership.announce(statement)
  } else if (membership.verdictOnAccusation(statement) === 'new') membership.accuse(statement, 0)
}

function take(membership: Membership, step: Step): void {
  const node = nodeOf(step.name)
  switch (step.kind) {
    case 'announce':
      takeStatement(membership, announce(notaryOf(step.name), step))
      break
    case 'accuse':
      takeStatement(membership, accuse(notaryOf(step.accuser), node, step.incarnation))
      break
    case 'hold':
      if (membership.stateOf(node) !== undefined) membership.hold(node, step.version)
      break
    case 'dead':
      membership.declareDead(node)
      break
    case 'forget':
      membership.forget(node, 1000)
      break
    case 'lose':
      membership.forget(node, undefined)
      break
  }
}

/** The lowest incarnation that a node may have now; one that was forgotten must have risen. */
function leastIncarnation(highest: number | undefined, wasKnown: boolean): number {
  return (highest ?? 0) + (wasKnown || highest === undefined ? 0 : 1)
}

function open(): Membership {
  return new Membership(() => undefined, 4)
}

describe('membership, whatever happens,', () => {
  const anySteps = fc.array(anyStep, { maxLength: 60 })

  test('has digests that are those of its rows, whatever happened', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        const membership = open()
        for (const step of steps) take(membership, step)
        const tree = new DigestTree()
        for (const node of membership.nodes()) {
          const row = membership.rowOf(node)
          if (row !== undefined) tree.toggle(row)
        }
        expect(membership.digests.root).toEqual(tree.root)
        expect(membership.digests.ranges).toEqual(tree.ranges)
      }),
    )
  })

  test('never lets the incarnation of a node fall, not even beyond forgetting it', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        const membership = open()
        const highest = new Map<NodeId, number>()
        for (const step of steps) {
          const node = nodeOf(step.name)
          const wasKnown = membership.stateOf(node) !== undefined
          take(membership, step)
          if (step.kind === 'lose') highest.delete(node)
          const least = leastIncarnation(highest.get(node), wasKnown)
          const { incarnation } = membership.announcementOf(node) ?? {}
          expect(incarnation ?? least).toBeGreaterThanOrEqual(least)
          if (incarnation !== undefined) highest.set(node, incarnation)
        }
      }),
    )
  })

  test('counts the left and the doubted as they are', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        const membership = open()
        for (const step of steps) take(membership, step)
        const states = [...membership.nodes()].map((node) => membership.stateOf(node))
        expect(membership.size).toBe(states.length)
        expect(membership.leftCount).toBe(states.filter((state) => state === 'left').length)
        expect(membership.suspicionCount).toBe(
          states.filter((state) => state === 'doubted' || state === 'dead').length,
        )
      }),
    )
  })

  test('draws every member, and nobody else', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        const membership = open()
        for (const step of steps) take(membership, step)
        const random = seededRandom(1)
        const drawn = new Set(Array.from({ length: 200 }, () => membership.draw(random)))
        drawn.delete(undefined)
        expect(drawn).toEqual(new Set(membership.nodes()))
      }),
      { numRuns: 50 },
    )
  })

  test('has equal digests for equal contents, whatever the order that they came in', () => {
    const statements = [
      ...names.map((name) => announce(notaryOf(name), { incarnation: 2 })),
      accuse(notaryOf('a'), nodeOf('b'), 2),
      accuse(notaryOf('c'), nodeOf('b'), 2),
      announce(notaryOf('d'), { incarnation: 3, isLeaving: true }),
      announce(notaryOf('e'), { incarnation: 1 }),
    ]
    const anyOrder = fc.shuffledSubarray(statements, { minLength: statements.length })
    const taken = (order: typeof statements) => {
      const membership = open()
      for (const statement of [...order, ...order]) takeStatement(membership, statement)
      return membership.digests.root
    }
    fc.assert(
      fc.property(anyOrder, (order) => {
        expect(taken(order)).toEqual(taken(statements))
      }),
    )
  })
})
