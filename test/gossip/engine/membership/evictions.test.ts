import { describe, expect, test } from 'vitest'
import { Evictions } from '../../../../src/gossip/engine/membership/evictions.ts'
import type { Eviction } from '../../../../src/gossip/engine/statements.ts'
import type { NodeId } from '../../../../src/model/node-id.ts'
import { accuse, announce, nodeOf, notaryOf } from '../nodes.ts'
import { Stand } from '../stand.ts'

const RETENTION_MS = 200_000

function evictionOf(issuer: string, subject: string, incarnation = 1): Eviction {
  const notary = notaryOf(issuer)
  const unsigned = { kind: 'eviction', subject: nodeOf(subject), incarnation } as const
  return notary.sign<Eviction>({ ...unsigned, issuer: notary.node })
}

/** A node that hears evictions; what it does about them is kept. */
class Hearer {
  readonly stand: Stand = new Stand('self', { retentionMs: RETENTION_MS })
  readonly evictions: Evictions
  readonly flooded: { readonly issuer: NodeId; readonly source: NodeId | undefined }[] = []
  readonly refuted: number[] = []
  readonly wanted: (readonly [NodeId, NodeId])[] = []
  readonly forgotten: NodeId[] = []
  readonly probed: NodeId[] = []

  /** With `a` and `b` as members. */
  constructor() {
    this.stand.meet('a', 'b')
    this.evictions = new Evictions(this.stand.ground, {
      flood: ({ issuer }, source) => this.flooded.push({ issuer, source }),
      refute: (incarnation) => this.refuted.push(incarnation),
      want: (peer, node) => this.wanted.push([peer, node]),
      forget: (node) => {
        this.forgotten.push(node)
        this.membership.forget(node, this.stand.nowMs + 7 * RETENTION_MS)
      },
      probe: (node) => this.probed.push(node),
    })
  }

  get membership() {
    return this.stand.ground.membership
  }

  doubt(name: string): void {
    this.membership.accuse(accuse(notaryOf('a'), nodeOf(name)), this.stand.nowMs)
  }

  kill(name: string): void {
    this.doubt(name)
    this.membership.declareDead(nodeOf(name))
  }

  leave(name: string): void {
    this.membership.announce(announce(notaryOf(name), { incarnation: 2, isLeaving: true }))
  }

  hear(from: string, eviction: Eviction): void {
    this.stand.call(() => this.evictions.onEviction(nodeOf(from), eviction))
  }

  isEvicted(name: string): boolean {
    return this.evictions.isEvicted(nodeOf(name))
  }
}

describe('an eviction', () => {
  test.each([
    { what: 'dead', incarnation: 1, turn: (hearer: Hearer) => hearer.kill('b') },
    { what: 'left', incarnation: 2, turn: (hearer: Hearer) => hearer.leave('b') },
    { what: 'dead, of a lower incarnation,', incarnation: 5, turn: (h: Hearer) => h.kill('b') },
  ])('of a node that is $what lets it be forgotten at once, and is flooded', (given) => {
    const hearer = new Hearer()
    given.turn(hearer)
    hearer.hear('a', evictionOf('a', 'b', given.incarnation))
    expect(hearer.forgotten).toEqual([nodeOf('b')])
    expect(hearer.flooded).toEqual([{ issuer: nodeOf('a'), source: nodeOf('a') }])
    const node = nodeOf('b')
    const evicted = { kind: 'evicted', node, issuer: nodeOf('a'), isPending: false }
    expect(hearer.stand.takeEvents()).toEqual([evicted])
  })

  test.each([
    { what: 'alive', turn: () => undefined },
    { what: 'doubted', turn: (hearer: Hearer) => hearer.doubt('b') },
  ])('of a node that is $what waits, and is flooded once', ({ turn }) => {
    const hearer = new Hearer()
    turn(hearer)
    hearer.hear('a', evictionOf('a', 'b'))
    hearer.hear('b', evictionOf('a', 'b'))
    expect(hearer.forgotten).toEqual([])
    expect(hearer.isEvicted('b')).toBe(true)
    expect(hearer.flooded).toHaveLength(1)
    expect(hearer.stand.takeEvents()).toMatchObject([{ kind: 'evicted', isPending: true }])
  })

  test('is void once the node has a higher incarnation', () => {
    const hearer = new Hearer()
    hearer.hear('a', evictionOf('a', 'b'))
    hearer.membership.announce(announce(notaryOf('b'), { incarnation: 2 }))
    expect(hearer.isEvicted('b')).toBe(false)
    hearer.hear('a', evictionOf('a', 'b'))
    expect(hearer.flooded).toHaveLength(1)
    hearer.hear('a', evictionOf('a', 'b', 2))
    expect(hearer.isEvicted('b')).toBe(true)
  })

  test('does not wait for longer than the dead are remembered', () => {
    const hearer = new Hearer()
    hearer.hear('a', evictionOf('a', 'b'))
    hearer.stand.pass(RETENTION_MS - 1)
    hearer.evictions.expire()
    expect(hearer.isEvicted('b')).toBe(true)
    hearer.stand.pass(1)
    expect(hearer.isEvicted('b')).toBe(false)
    hearer.evictions.expire()
    hearer.hear('a', evictionOf('a', 'b'))
    expect(hearer.isEvicted('b')).toBe(true)
  })

  const forgeries: readonly (readonly [string, Eviction])[] = [
    ['another issuer', { ...evictionOf('b', 'b'), issuer: nodeOf('a') }],
    ['another incarnation', { ...evictionOf('a', 'b'), incarnation: 9 }],
    ['another subject', { ...evictionOf('a', 'c'), subject: nodeOf('b') }],
  ]
  test.each(forgeries)('of %s than was signed is refused', (_, forged) => {
    const hearer = new Hearer()
    hearer.kill('b')
    hearer.hear('a', forged)
    expect([hearer.forgotten, hearer.flooded]).toEqual([[], []])
    expect(hearer.stand.takeEvents()).toMatchObject([{ reason: 'bad-signature' }])
  })

  test('by an unknown issuer is not believed, but asked about', () => {
    const hearer = new Hearer()
    hearer.kill('b')
    hearer.hear('a', evictionOf('stranger', 'b'))
    expect(hearer.forgotten).toEqual([])
    expect(hearer.wanted).toEqual([[nodeOf('a'), nodeOf('stranger')]])
  })

  test('of an unknown node is not kept: it may announce itself', () => {
    const hearer = new Hearer()
    hearer.hear('a', evictionOf('a', 'new'))
    expect(hearer.flooded).toEqual([])
    hearer.membership.announce(announce(notaryOf('new')))
    expect(hearer.isEvicted('new')).toBe(false)
  })

  test('that comes again for a node that looks alive goes to it, and it is probed', () => {
    const hearer = new Hearer()
    hearer.hear('a', evictionOf('a', 'b'))
    hearer.stand.pass(999)
    hearer.hear('a', evictionOf('a', 'b'))
    hearer.stand.pass(100)
    expect(hearer.stand.sent).toEqual([])
    hearer.hear('a', evictionOf('a', 'b'))
    hearer.hear('a', evictionOf('a', 'b'))
    hearer.stand.pass(100)
    expect(hearer.stand.take('eviction').map(({ to }) => to)).toEqual([nodeOf('b')])
    expect(hearer.probed).toEqual([nodeOf('b')])
  })
})

describe('a node that hears itself evicted', () => {
  test.each([
    { incarnation: 1, refuted: [1], wanted: 0 },
    { incarnation: 0, refuted: [], wanted: 0 },
    { incarnation: 2, refuted: [], wanted: 1 },
  ])('at incarnation $incarnation of 1 refutes $refuted', ({ incarnation, refuted, wanted }) => {
    const hearer = new Hearer()
    hearer.hear('a', evictionOf('a', 'self', incarnation))
    expect(hearer.refuted).toEqual(refuted)
    expect(hearer.wanted).toHaveLength(wanted)
    expect([hearer.forgotten, hearer.flooded]).toEqual([[], []])
  })

  test('does not mind when it has left', () => {
    const hearer = new Hearer()
    hearer.leave('self')
    hearer.hear('a', evictionOf('a', 'self', 2))
    expect(hearer.refuted).toEqual([])
  })

  test('does not believe a forgery', () => {
    const hearer = new Hearer()
    hearer.hear('b', { ...evictionOf('b', 'self'), issuer: nodeOf('a') })
    expect(hearer.refuted).toEqual([])
  })
})

describe('to evict', () => {
  test.each([
    { what: 'alive', turn: () => undefined, isForgotten: false, isEvicted: false },
    { what: 'doubted', turn: (h: Hearer) => h.doubt('b'), isForgotten: false, isEvicted: true },
    { what: 'dead', turn: (h: Hearer) => h.kill('b'), isForgotten: true, isEvicted: false },
  ])('a node that is $what', ({ turn, isForgotten, isEvicted }) => {
    const hearer = new Hearer()
    turn(hearer)
    hearer.stand.call(() => hearer.evictions.issue(nodeOf('b')))
    expect(hearer.forgotten.length > 0).toBe(isForgotten)
    expect(hearer.isEvicted('b')).toBe(isEvicted)
    expect(hearer.flooded).toHaveLength(isForgotten || isEvicted ? 1 : 0)
  })

  test('again tells all again', () => {
    const hearer = new Hearer()
    hearer.doubt('b')
    for (let time = 0; time < 2; time++) hearer.evictions.issue(nodeOf('b'))
    expect(hearer.flooded).toHaveLength(2)
  })
})

describe('a peer that knows an evicted node', () => {
  const answersTo = (hearer: Hearer, incarnation: number): readonly Eviction[] => {
    hearer.stand.call(() => hearer.evictions.answer(nodeOf('a'), nodeOf('b'), incarnation))
    hearer.stand.pass(100)
    return hearer.stand.take('eviction').map(({ message }) => message)
  }

  test('hears of the incarnation that was forgotten, from whom it asks', () => {
    const hearer = new Hearer()
    hearer.kill('b')
    hearer.hear('a', evictionOf('a', 'b', 1_000_000))
    const issuer = hearer.stand.ground.self
    expect(answersTo(hearer, 1)).toEqual([evictionOf('self', 'b', 1)])
    expect(answersTo(hearer, 1)).toMatchObject([{ incarnation: 1, issuer }])
    expect(answersTo(hearer, 2)).toEqual([])
  })

  test('hears nothing of one that was forgotten in its time', () => {
    const hearer = new Hearer()
    hearer.kill('b')
    hearer.membership.forget(nodeOf('b'), RETENTION_MS)
    expect(answersTo(hearer, 1)).toEqual([])
  })

  test('hears nothing once that is not remembered', () => {
    const hearer = new Hearer()
    hearer.kill('b')
    hearer.hear('a', evictionOf('a', 'b'))
    hearer.evictions.expire()
    expect(answersTo(hearer, 1)).toHaveLength(1)
    hearer.membership.expireForgotten(8 * RETENTION_MS)
    hearer.evictions.expire()
    expect(answersTo(hearer, 1)).toEqual([])
  })
})
