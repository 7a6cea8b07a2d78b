import { describe, expect, test } from 'vitest'
import { StatementIntake } from '../../../../src/gossip/engine/membership/statement-intake.ts'
import type { Accusation, Announcement } from '../../../../src/gossip/engine/statements.ts'
import type { NodeId } from '../../../../src/model/node-id.ts'
import { accuse, announce, endpointOf, nodeOf, notaryOf } from '../nodes.ts'
import { Stand } from '../stand.ts'

const RETENTION_MS = 200_000

/** A node that hears statements; what it does about them is kept. */
class Hearer {
  readonly stand: Stand = new Stand('self', { retentionMs: RETENTION_MS })
  readonly intake: StatementIntake
  readonly flooded: { readonly kind: string; readonly source: NodeId | undefined }[] = []
  readonly refuted: number[] = []
  readonly wanted: (readonly [NodeId, NodeId])[] = []
  readonly back: NodeId[] = []
  readonly forgotten: NodeId[] = []
  readonly answered: NodeId[] = []

  constructor(...names: readonly string[]) {
    this.stand.meet(...names)
    const { membership } = this.stand.ground
    this.intake = new StatementIntake(this.stand.ground, {
      flood: ({ kind }, source) => this.flooded.push({ kind, source }),
      refute: (incarnation) => this.refuted.push(incarnation),
      want: (peer, node) => this.wanted.push([peer, node]),
      onBack: (node) => this.back.push(node),
      forget: (node) => {
        this.forgotten.push(node)
        this.intake.drop(node)
        membership.forget(node, 10 * RETENTION_MS)
      },
      isEvicted: () => false,
      onForgotten: (peer) => this.answered.push(peer),
    })
  }

  hear(from: string, statement: Announcement | Accusation): void {
    this.stand.call(() => {
      if (statement.kind === 'announcement') this.intake.onAnnouncement(nodeOf(from), statement)
      else this.intake.onAccusation(nodeOf(from), statement)
    })
  }

  stateOf(name: string): string | undefined {
    return this.stand.ground.membership.stateOf(nodeOf(name))
  }

  takeEvents(): string[] {
    return this.stand
      .takeEvents()
      .map((event) => (event.kind === 'rejected' ? `rejected ${event.reason}` : event.kind))
  }
}

describe('an announcement', () => {
  test('that is news is believed, flooded but not back, and told', () => {
    const hearer = new Hearer('a')
    hearer.hear('a', announce(notaryOf('new')))
    expect(hearer.stateOf('new')).toBe('alive')
    expect(hearer.flooded).toEqual([{ kind: 'announcement', source: nodeOf('a') }])
    expect(hearer.takeEvents()).toEqual(['joined'])
  })

  test('that is known is not flooded again', () => {
    const hearer = new Hearer('a', 'b')
    hearer.hear('a', announce(notaryOf('b')))
    expect(hearer.flooded).toEqual([])
    expect(hearer.takeEvents()).toEqual([])
  })

  const forgeries: readonly (readonly [string, (real: Announcement) => Announcement])[] = [
    ['of another address', (real) => ({ ...real, endpoint: endpointOf(66) })],
    ['of another incarnation', (real) => ({ ...real, incarnation: 9 })],
    ['of leaving', (real) => ({ ...real, isLeaving: true })],
    ['with another key', (real) => ({ ...real, publicKey: notaryOf('liar').publicKey })],
    [
      'of another node',
      (real) => ({ ...announce(notaryOf('liar')), node: real.node, incarnation: 2 }),
    ],
  ]
  test.each(forgeries)('%s that was not signed so is refused', (_, forge) => {
    const hearer = new Hearer('a', 'b')
    hearer.hear('a', forge(announce(notaryOf('b'), { incarnation: 2 })))
    expect(hearer.stand.ground.membership.announcementOf(nodeOf('b'))?.incarnation).toBe(1)
    expect(hearer.flooded).toEqual([])
    expect(hearer.takeEvents()).toEqual(['rejected bad-signature'])
  })

  test('ends a doubt, and the death that was to follow', () => {
    const hearer = new Hearer('a', 'b', 'c')
    hearer.hear('a', accuse(notaryOf('a'), nodeOf('b')))
    expect(hearer.stateOf('b')).toBe('doubted')
    hearer.hear('b', announce(notaryOf('b'), { incarnation: 2 }))
    expect(hearer.stateOf('b')).toBe('alive')
    hearer.stand.pass(RETENTION_MS - 1)
    expect(hearer.stateOf('b')).toBe('alive')
    expect(hearer.takeEvents()).toEqual(['doubted', 'refuted'])
    expect(hearer.back).toEqual([])
    hearer.stand.pass(2 * RETENTION_MS)
    expect(hearer.forgotten).toEqual([])
  })

  test.each([
    { from: 'b', back: [nodeOf('b')] },
    { from: 'a', back: [] },
  ])('of a dead node, heard of $from, opens a sync: $back', ({ from, back }) => {
    const hearer = new Hearer('a', 'b', 'c')
    hearer.hear('a', accuse(notaryOf('a'), nodeOf('b')))
    hearer.stand.pass(40_000)
    expect(hearer.stateOf('b')).toBe('dead')
    hearer.hear(from, announce(notaryOf('b'), { incarnation: 2 }))
    expect(hearer.back).toEqual(back)
    hearer.stand.pass(2 * RETENTION_MS)
    expect(hearer.forgotten).toEqual([])
  })

  test('of leaving hides the node at once and forgets it after the retention', () => {
    const hearer = new Hearer('a', 'b')
    hearer.hear('a', announce(notaryOf('b'), { incarnation: 2, isLeaving: true }))
    expect(hearer.stateOf('b')).toBe('left')
    expect(hearer.takeEvents()).toEqual(['left'])
    hearer.stand.pass(RETENTION_MS - 1)
    expect(hearer.forgotten).toEqual([])
    hearer.stand.pass(1)
    expect(hearer.forgotten).toEqual([nodeOf('b')])
  })

  test('of a forgotten node is refused in its old incarnation, and the node is told how to return', () => {
    const hearer = new Hearer('a', 'b')
    hearer.hear('a', announce(notaryOf('b'), { incarnation: 2, isLeaving: true }))
    hearer.stand.pass(RETENTION_MS)
    hearer.takeEvents()
    hearer.hear('a', announce(notaryOf('b'), { incarnation: 2 }))
    expect(hearer.takeEvents()).toEqual(['rejected forgotten-node'])
    expect(hearer.stand.sent).toEqual([])
    expect(hearer.answered).toEqual([nodeOf('a')])
    hearer.hear('b', announce(notaryOf('b'), { incarnation: 2, isLeaving: true }))
    expect(hearer.stand.sent).toEqual([])
    hearer.hear('b', announce(notaryOf('b'), { incarnation: 2, endpoint: endpointOf(40) }))
    expect(hearer.answered).toEqual([nodeOf('a')])
    expect(hearer.stateOf('b')).toBeUndefined()
    expect(hearer.stand.sent).toMatchObject([
      { to: nodeOf('b'), message: { kind: 'announcement', node: hearer.stand.ground.self } },
      { to: nodeOf('b'), message: { kind: 'accusation', subject: nodeOf('b'), incarnation: 2 } },
    ])
    hearer.hear('b', announce(notaryOf('b'), { incarnation: 2, endpoint: endpointOf(40) }))
    expect(hearer.stand.sent).toHaveLength(2)
    hearer.hear('b', announce(notaryOf('b'), { incarnation: 3 }))
    expect(hearer.stateOf('b')).toBe('alive')
  })
})

describe('an accusation', () => {
  test('that is news is believed, flooded but not back, and told once', () => {
    const hearer = new Hearer('a', 'b', 'c')
    hearer.hear('a', accuse(notaryOf('c'), nodeOf('b')))
    hearer.hear('c', accuse(notaryOf('c'), nodeOf('b')))
    hearer.hear('c', accuse(notaryOf('a'), nodeOf('b')))
    expect(hearer.flooded).toEqual([
      { kind: 'accusation', source: nodeOf('a') },
      { kind: 'accusation', source: nodeOf('c') },
    ])
    expect(hearer.takeEvents()).toEqual(['doubted'])
  })

  test.each([
    { accusers: ['a'], deadMs: 30_000 },
    { accusers: ['a', 'c'], deadMs: 17_381 },
    { accusers: ['a', 'c', 'd', 'e'], deadMs: 5000 },
  ])(
    'of $accusers.length of eight lets the node be dead after $deadMs ms',
    ({ accusers, deadMs }) => {
      const hearer = new Hearer('a', 'b', 'c', 'd', 'e', 'f', 'g')
      hearer.stand.pass(100)
      for (const accuser of accusers) hearer.hear(accuser, accuse(notaryOf(accuser), nodeOf('b')))
      hearer.stand.pass(Math.floor(deadMs * 0.99))
      expect(hearer.stateOf('b')).toBe('doubted')
      hearer.stand.pass(Math.ceil(deadMs * 0.02))
      expect(hearer.stateOf('b')).toBe('dead')
      expect(hearer.takeEvents()).toEqual(['doubted', 'dead'])
    },
  )

  test('that comes late brings death nearer, counted from the first one', () => {
    const hearer = new Hearer('a', 'b', 'c', 'd', 'e', 'f', 'g')
    hearer.hear('a', accuse(notaryOf('a'), nodeOf('b')))
    hearer.stand.pass(10_000)
    for (const accuser of ['c', 'd', 'e'])
      hearer.hear(accuser, accuse(notaryOf(accuser), nodeOf('b')))
    expect(hearer.stateOf('b')).toBe('dead')
  })

  test('of a dead node changes nothing about when it is forgotten', () => {
    const hearer = new Hearer('a', 'b', 'c')
    hearer.hear('a', accuse(notaryOf('a'), nodeOf('b')))
    hearer.stand.pass(31_000)
    hearer.hear('c', accuse(notaryOf('c'), nodeOf('b')))
    expect(hearer.takeEvents()).toEqual(['doubted', 'dead'])
    hearer.stand.pass(RETENTION_MS - 500)
    expect(hearer.forgotten).toEqual([nodeOf('b')])
  })

  test('that its accuser did not sign is refused', () => {
    const hearer = new Hearer('a', 'b', 'c')
    hearer.hear('a', { ...accuse(notaryOf('a'), nodeOf('b')), accuser: nodeOf('c') })
    expect(hearer.stateOf('b')).toBe('alive')
    expect(hearer.flooded).toEqual([])
    expect(hearer.takeEvents()).toEqual(['rejected bad-signature'])
  })

  test.each([
    { of: 'an unknown subject', accuser: 'a', subject: 'x', asked: 'x' },
    { of: 'an unknown accuser', accuser: 'x', subject: 'b', asked: 'x' },
  ])('of $of is not believed, but asked about', ({ accuser, subject, asked }) => {
    const hearer = new Hearer('a', 'b')
    hearer.hear('a', accuse(notaryOf(accuser), nodeOf(subject)))
    expect(hearer.wanted).toEqual([[nodeOf('a'), nodeOf(asked)]])
    expect(hearer.flooded).toEqual([])
    expect(hearer.stateOf('b')).toBe('alive')
  })

  test('by this node itself is signed, believed and flooded, once for each incarnation', () => {
    const hearer = new Hearer('a', 'b')
    for (let time = 0; time < 2; time++) hearer.stand.call(() => hearer.intake.accuse(nodeOf('b')))
    expect(hearer.stateOf('b')).toBe('doubted')
    expect(hearer.flooded).toHaveLength(1)
    hearer.hear('b', announce(notaryOf('b'), { incarnation: 2 }))
    hearer.stand.call(() => hearer.intake.accuse(nodeOf('b')))
    expect(hearer.stateOf('b')).toBe('doubted')
  })
})

describe('of this node itself', () => {
  const self = nodeOf('self')

  test.each([
    { incarnation: 0, refuted: [], wanted: [] },
    { incarnation: 1, refuted: [1], wanted: [] },
    { incarnation: 2, refuted: [], wanted: [[nodeOf('a'), self]] },
    { incarnation: 2 ** 53 - 1, refuted: [], wanted: [[nodeOf('a'), self]] },
  ])('an accusation of incarnation $incarnation, present 1, is answered by $refuted', (row) => {
    const hearer = new Hearer('a', 'b')
    hearer.hear('a', accuse(notaryOf('b'), self, row.incarnation))
    expect(hearer.refuted).toEqual(row.refuted)
    expect(hearer.wanted).toEqual(row.wanted)
    expect(hearer.stateOf('self')).toBe('alive')
  })

  test('a forged accusation is not answered', () => {
    const hearer = new Hearer('a', 'b')
    hearer.hear('a', { ...accuse(notaryOf('a'), self), accuser: nodeOf('b') })
    expect(hearer.refuted).toEqual([])
  })

  test.each([
    { incarnation: 0, endpoint: endpointOf(1), refuted: [] },
    { incarnation: 1, endpoint: endpointOf(1), refuted: [] },
    { incarnation: 1, endpoint: endpointOf(9), refuted: [1] },
    { incarnation: 7, endpoint: endpointOf(1), refuted: [7] },
  ])('an announcement of $incarnation at $endpoint.address is answered by $refuted', (row) => {
    const hearer = new Hearer('a')
    hearer.hear('a', announce(notaryOf('self'), row))
    expect(hearer.refuted).toEqual(row.refuted)
    expect(hearer.flooded).toEqual([])
  })

  test('a forged announcement is not answered', () => {
    const hearer = new Hearer('a')
    hearer.hear('a', { ...announce(notaryOf('self')), incarnation: 7 })
    expect(hearer.refuted).toEqual([])
  })

  test('a doubt of one that was forgotten is answered: both sides forgot each other', () => {
    const hearer = new Hearer('a', 'b')
    hearer.hear('a', announce(notaryOf('b'), { incarnation: 2, isLeaving: true }))
    hearer.stand.pass(RETENTION_MS)
    hearer.hear('b', announce(notaryOf('b'), { incarnation: 2, endpoint: endpointOf(40) }))
    hearer.stand.sent.splice(0)
    hearer.hear('b', accuse(notaryOf('b'), self))
    expect(hearer.refuted).toEqual([1])
    expect(hearer.stand.sent).toMatchObject([
      { to: nodeOf('b'), message: { kind: 'announcement', node: self } },
    ])
  })
})
