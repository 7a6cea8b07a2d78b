import { describe, expect, test } from 'vitest'
import type { Message, MessageKind } from '../../../../src/gossip/engine/messages.ts'
import { Sync } from '../../../../src/gossip/engine/sync/sync.ts'
import type { NodeId } from '../../../../src/model/node-id.ts'
import { Neighbourhood } from '../neighbourhood.ts'
import { accuse, announce, nodeOf, notaryOf } from '../nodes.ts'
import type { Stand } from '../stand.ts'

/** One of two nodes that compare what they know. */
class Side {
  readonly #at: Neighbourhood
  readonly sync: Sync
  readonly peer: NodeId
  readonly got: Message[] = []
  ends = 0
  /** Nodes that were evicted and forgotten here. */
  readonly evicted: Set<NodeId> = new Set()

  constructor(names: readonly string[]) {
    this.#at = new Neighbourhood('peer', ...names)
    this.peer = nodeOf('peer')
    const { missing } = this.#at
    this.sync = new Sync(this.stand.ground, {
      missing,
      onEnd: () => this.ends++,
      isEvicted: (_, { node }) => this.evicted.has(node),
    })
  }

  get stand(): Stand {
    return this.#at.stand
  }

  get missing(): Neighbourhood['missing'] {
    return this.#at.missing
  }

  receive(message: Message): void {
    this.got.push(message)
    this.stand.call(() => {
      if (message.kind === 'sync-open') this.sync.onOpen(this.peer, message)
      if (message.kind === 'sync-ranges') this.sync.onRanges(this.peer, message)
      if (message.kind === 'sync-rows') this.sync.onRows(this.peer, message)
      if (message.kind === 'sync-end') this.sync.onEnd(this.peer)
    })
  }

  gotOf<K extends MessageKind>(kind: K): Extract<Message, { kind: K }>[] {
    return this.got.filter(
      (message): message is Extract<Message, { kind: K }> => message.kind === kind,
    )
  }
}

const NAMES = Array.from({ length: 400 }, (_, number) => `n${number}`)

/** Lets the first open a round with the second; both stands are called `self`: that does not matter. */
function compare(opener: Side, other: Side): void {
  opener.stand.pass(1000)
  opener.stand.call(() => opener.sync.open(opener.peer))
  for (let turn = 0; turn < 20; turn++) {
    for (const [from, to] of [
      [opener, other],
      [other, opener],
    ] as const) {
      from.stand.pass(5)
      for (const { message } of from.stand.sent.splice(0)) to.receive(message)
    }
  }
}

function pairOf(change: (left: Side, right: Side) => void): { left: Side; right: Side } {
  const [left, right] = [new Side(NAMES), new Side(NAMES)]
  change(left, right)
  compare(left, right)
  return { left, right }
}

describe('anti-entropy', () => {
  test('of nodes that know the same ends at once', () => {
    const { left, right } = pairOf(() => undefined)
    expect(right.got.map(({ kind }) => kind)).toEqual(['sync-open'])
    expect(left.got.map(({ kind }) => kind)).toEqual(['sync-end'])
    expect(left.ends).toBe(1)
    expect(right.ends).toBe(0)
  })

  test('compares only the ranges that differ', () => {
    const { left, right } = pairOf(({ stand }) => {
      stand.ground.membership.hold(nodeOf('n7'), 5)
    })
    expect(left.gotOf('sync-ranges').map(({ ranges }) => ranges.length)).toEqual([1])
    const [rows] = right.gotOf('sync-rows')
    expect(rows?.ranges).toEqual([Number.parseInt(nodeOf('n7').slice(0, 2), 16)])
    expect(rows?.rows.length).toBeLessThan(10)
    expect(rows?.rows).toContainEqual({
      node: nodeOf('n7'),
      incarnation: 1,
      isAccused: false,
      held: 5,
    })
    expect(right.missing.versionOf(nodeOf('n7'))).toBe(5)
    expect(left.ends).toBe(1)
  })

  test('names to the peer what it lacks of records, and notes what is lacking here', () => {
    const { left, right } = pairOf((one, other) => {
      one.stand.ground.membership.hold(nodeOf('n1'), 5)
      other.stand.ground.membership.hold(nodeOf('n2'), 7)
      one.stand.ground.membership.hold(nodeOf('n3'), 2)
      other.stand.ground.membership.hold(nodeOf('n3'), 2)
    })
    expect(left.gotOf('have').flatMap(({ entries }) => entries)).toEqual([
      { node: nodeOf('n2'), version: 7 },
    ])
    expect(right.missing.versionOf(nodeOf('n1'))).toBe(5)
    expect(right.missing.size).toBe(1)
  })

  test('sends statements that the peer lacks, and asks for those that are lacking here', () => {
    const { left, right } = pairOf((one, other) => {
      one.stand.ground.membership.announce(announce(notaryOf('only left')))
      other.stand.ground.membership.announce(announce(notaryOf('only right')))
      other.stand.ground.membership.announce(announce(notaryOf('n1'), { incarnation: 2 }))
      other.stand.ground.membership.accuse(accuse(notaryOf('n3'), nodeOf('n2')), 0)
    })
    const announced = left.gotOf('announcement').map(({ node }) => node)
    expect(new Set(announced)).toEqual(new Set([nodeOf('only right'), nodeOf('n1')]))
    expect(left.gotOf('accusation').map(({ subject }) => subject)).toEqual([nodeOf('n2')])
    expect(left.gotOf('want-members').flatMap(({ nodes }) => nodes)).toEqual([nodeOf('only left')])
    expect(right.got.map(({ kind }) => kind)).toEqual(['sync-open', 'sync-rows'])
  })

  test('does not ask for a node that was evicted here: the peer is told', () => {
    const { left, right } = pairOf((one, other) => {
      one.stand.ground.membership.announce(announce(notaryOf('evicted')))
      other.evicted.add(nodeOf('evicted'))
    })
    expect(left.gotOf('want-members')).toEqual([])
    expect(right.missing.versionOf(nodeOf('evicted'))).toBeUndefined()
    expect(left.ends).toBe(1)
  })

  test('compares a large difference in steps, so that other calls get their turn, and ends once', () => {
    const left = new Side(NAMES.slice(0, 1))
    const right = new Side(NAMES)
    left.stand.call(() => left.sync.open(left.peer))
    right.receive({ kind: 'sync-open', digests: left.stand.ground.membership.digests.ranges })
    for (const { message } of right.stand.sent.splice(0)) left.receive(message)
    const [rows] = left.stand.take('sync-rows')
    if (rows === undefined) throw new Error('no rows')
    right.receive(rows.message)
    const first = right.stand.take('announcement').length
    expect(first).toBeGreaterThan(0)
    expect(first).toBeLessThanOrEqual(256)
    expect(right.stand.take('sync-end')).toHaveLength(0)
    right.stand.pass(100)
    expect(first + right.stand.take('announcement').length).toBe(NAMES.length - 1)
    expect(right.stand.take('sync-end')).toHaveLength(1)
  })

  test('compares again and again, but only so many at the same time', () => {
    const side = new Side(NAMES)
    const rows: Message = {
      kind: 'sync-rows',
      ranges: Array.from({ length: 256 }, (_, r) => r),
      rows: [],
    }
    for (let round = 0; round < 3; round++) {
      for (let count = 0; count < 20; count++) side.receive(rows)
      side.stand.pass(100)
      expect(side.stand.take('sync-end')).toHaveLength(8)
    }
  })

  test('sends everything over the stream', () => {
    const side = new Side(NAMES)
    side.stand.call(() => side.sync.open(side.peer))
    side.receive({ kind: 'sync-open', digests: [] })
    expect(side.stand.sent.length).toBeGreaterThan(1)
    expect(new Set(side.stand.sent.map(({ channel }) => channel))).toEqual(new Set(['stream']))
  })

  describe('is opened', () => {
    const other = { high: 1, low: 1 }
    const opened = (side: Side) => side.stand.take('sync-open').length
    const hear = (side: Side, digest = other) =>
      side.stand.call(() => side.sync.onDigest(side.peer, digest))

    test('when a digest differs for longer than changes need to spread', () => {
      const side = new Side([])
      hear(side)
      side.stand.pass(999)
      hear(side)
      expect(opened(side)).toBe(0)
      side.stand.pass(1)
      hear(side)
      expect(opened(side)).toBe(1)
    })

    test('not when digests agreed in between', () => {
      const side = new Side([])
      hear(side)
      side.stand.pass(400)
      hear(side, side.stand.ground.membership.digests.root)
      side.stand.pass(400)
      hear(side)
      expect(opened(side)).toBe(0)
    })

    test('again only after the interval', () => {
      const side = new Side([])
      const times: number[] = []
      for (let ms = 0; ms < 30_000; ms += 100) {
        side.stand.pass(100)
        hear(side)
        if (opened(side) > 0) times.push(side.stand.nowMs)
      }
      expect(times.length).toBeGreaterThan(3)
      for (const [index, atMs] of times.entries()) {
        const sinceMs = atMs - (times[index - 1] ?? Number.NEGATIVE_INFINITY)
        expect(sinceMs).toBeGreaterThanOrEqual(2500 * 0.75)
      }
    })

    test('not with a stranger, and not twice in a moment', () => {
      const side = new Side([])
      side.stand.call(() => side.sync.open(nodeOf('stranger')))
      expect(opened(side)).toBe(0)
      side.stand.call(() => side.sync.open(side.peer))
      side.stand.pass(100)
      side.stand.call(() => side.sync.open(side.peer))
      expect(opened(side)).toBe(1)
      side.stand.pass(100)
      side.stand.call(() => side.sync.open(side.peer))
      expect(opened(side)).toBe(1)
    })
  })
})
