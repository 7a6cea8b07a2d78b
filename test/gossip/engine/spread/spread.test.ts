import { describe, expect, test } from 'vitest'
import type { Delta } from '../../../../src/gossip/engine/messages.ts'
import type { NodeId } from '../../../../src/model/node-id.ts'
import { Neighbourhood } from '../neighbourhood.ts'
import { announce, notaryOf } from '../nodes.ts'
import { Owner, statedBy } from '../own-node.ts'

const settings = { partBytes: 400 }

/** A node with links to a, b and the owner of records. */
function open(): { at: Neighbourhood; owner: Owner; a: NodeId; b: NodeId } {
  const at = new Neighbourhood('a', 'b', 'owner')
  const [a, b] = at.peers
  if (a === undefined || b === undefined) throw new Error('peers')
  return { at, owner: new Owner('owner', { settings }).publish({ k: '1' }), a, b }
}

function receive(at: Neighbourhood, from: NodeId, delta: Delta): void {
  at.stand.call(() => at.spread.onDelta(from, delta))
}

/** Who was sent what, since the last time. */
function sentBy({ stand }: Neighbourhood): string[] {
  stand.pass(20)
  return stand.sent.splice(0).map(({ to, message }) => `${message.kind} ${to}`)
}

describe('spreading', () => {
  test('floods statements over all links but the one that they came over', () => {
    const { at, owner, a, b } = open()
    const statement = announce(notaryOf('new'))
    at.stand.call(() => at.spread.flood(statement, a))
    expect(sentBy(at).sort()).toEqual([`announcement ${b}`, `announcement ${owner.node}`].sort())
  })

  test('floods over lazy links as well', () => {
    const { at, a } = open()
    at.links.setEager(a, false)
    at.stand.call(() => at.spread.flood(announce(notaryOf('new'))))
    expect(sentBy(at)).toContain(`announcement ${a}`)
  })

  test('passes a delta on over eager links, and its name over lazy ones that are told by this node', () => {
    const { at, owner, a, b } = open()
    const [successor = a] = [...at.rings.successors].filter((peer) => peer === a || peer === b)
    const other = successor === a ? b : a
    at.links.setEager(successor, false)
    receive(at, owner.node, owner.deltaFrom(0))
    expect(sentBy(at)).toEqual([`delta ${other}`])
    const { version } = owner.own
    expect(at.links.takeNews(successor)).toEqual([
      { kind: 'have', entries: [{ node: owner.node, version }] },
    ])
  })

  test('tells what was passed on that time has gone by', () => {
    const { at, owner } = open()
    receive(at, owner.node, { ...owner.deltaFrom(0), ageMs: 100 })
    for (const { message } of at.stand.take('delta')) expect(message.ageMs).toBeGreaterThan(100)
    expect(at.stand.takeEvents()).toContainEqual({
      kind: 'delta-applied',
      node: owner.node,
      ageMs: 100,
      isWhole: true,
    })
  })

  test('keeps an age within its field', () => {
    const { at, owner } = open()
    receive(at, owner.node, { ...owner.deltaFrom(0), ageMs: 2 ** 32 - 1 })
    const ages = at.stand.take('delta').map(({ message }) => message.ageMs)
    expect(new Set(ages)).toEqual(new Set([2 ** 32 - 1]))
  })

  test('passes on a difference when it took a whole set in place of what it held', () => {
    const { at, owner, a } = open()
    owner.publish({ l: '1' })
    receive(at, owner.node, owner.deltaFrom(0))
    const held = owner.own.version
    owner.publish({ k: '2' })
    at.stand.take('delta')
    receive(at, a, owner.deltaFrom(0))
    const passed = at.stand.take('delta').map(({ message }) => message)
    expect(passed.length).toBeGreaterThan(0)
    for (const { from, records } of passed) {
      expect(from).toBe(held)
      expect(records.map(({ key }) => key)).toEqual(['k'])
    }
  })

  test('passes on a whole set below whose floor it was', () => {
    const { at, owner, a } = open()
    receive(at, owner.node, owner.deltaFrom(0))
    const held = owner.own.version
    owner.stand.call(() => owner.own.jumpAbove(100))
    owner.publish({ l: '3' })
    at.stand.take('delta')
    receive(at, a, owner.deltaFrom(held))
    const passed = at.stand.take('delta').map(({ message }) => message.from)
    expect(new Set(passed)).toEqual(new Set([0]))
  })

  test('names a set that is too large for one part, instead of sending it', () => {
    const { at, owner, a, b } = open()
    for (let key = 0; key < 40; key++) owner.publish({ [`key ${key}`]: 'x'.repeat(40) })
    for (const part of owner.partsFrom(0)) receive(at, owner.node, part)
    expect(statedBy(at.records, owner.node)).toEqual(statedBy(owner.records, owner.node))
    expect(sentBy(at).sort()).toEqual([`have ${a}`, `have ${b}`].sort())
    expect(sentBy(at)).toEqual([])
  })

  test('answers a copy that is held already with prune, and turns the link lazy', () => {
    const { at, owner, a } = open()
    receive(at, owner.node, owner.deltaFrom(0))
    sentBy(at)
    receive(at, a, owner.deltaFrom(0))
    expect(sentBy(at)).toEqual([`prune ${a}`])
    expect(at.links.isEager(a)).toBe(false)
    expect(at.links.isEager(owner.node)).toBe(true)
  })

  test('does not prune a link that brought something new a moment ago, but does later', () => {
    const { at, owner, a } = open()
    receive(at, a, owner.deltaFrom(0))
    sentBy(at)
    receive(at, a, owner.deltaFrom(0))
    expect(sentBy(at)).toEqual([])
    expect(at.links.isEager(a)).toBe(true)
    at.stand.pass(10_000)
    receive(at, a, owner.deltaFrom(0))
    expect(sentBy(at)).toEqual([`prune ${a}`])
  })

  test('does not prune who answers what it was asked', () => {
    const { at, owner, a } = open()
    at.stand.call(() => at.missing.askNow(owner.node, 1, a))
    receive(at, owner.node, owner.deltaFrom(0))
    at.stand.call(() => at.missing.askNow(owner.node, 9, a))
    sentBy(at)
    receive(at, a, owner.deltaFrom(0))
    expect(sentBy(at)).toEqual([])
  })

  test('turns a link lazy when the peer prunes, eager when the peer grafts', () => {
    const { at, owner, a } = open()
    receive(at, owner.node, owner.deltaFrom(0))
    at.stand.call(() => at.spread.onPrune(a))
    expect(at.links.isEager(a)).toBe(false)
    const entries = [{ node: owner.node, held: 0, isStaged: false }]
    at.stand.call(() => at.spread.onWant(a, { kind: 'want', isGraft: false, entries }))
    expect(at.links.isEager(a)).toBe(false)
    at.stand.call(() => at.spread.onWant(a, { kind: 'want', isGraft: true, entries }))
    expect(at.links.isEager(a)).toBe(true)
  })

  test.each([
    { value: 'x', channel: 'datagram' },
    { value: 'x'.repeat(1280), channel: 'stream' },
  ] as const)('answers what is wanted over the $channel where it fits', ({ value, channel }) => {
    const { at, a } = open()
    const owner = new Owner('owner').publish({ k: value })
    receive(at, owner.node, owner.deltaFrom(0))
    at.stand.sent.splice(0)
    const entries = [{ node: owner.node, held: 0, isStaged: false }]
    at.stand.call(() => at.spread.onWant(a, { kind: 'want', isGraft: false, entries }))
    expect(at.stand.take('delta')).toMatchObject([{ to: a, channel }])
    const held = [{ node: owner.node, held: owner.own.version, isStaged: false }]
    at.stand.call(() => at.spread.onWant(a, { kind: 'want', isGraft: false, entries: held }))
    expect(at.stand.take('delta')).toEqual([])
  })

  test('asks for what lies between, when a delta does not fit', () => {
    const { at, owner, a } = open()
    const held = owner.own.version
    owner.publish({ k: '2' })
    receive(at, a, owner.deltaFrom(held))
    expect(sentBy(at)).toEqual([`want ${a}`])
    receive(at, a, owner.deltaFrom(0))
    expect(statedBy(at.records, owner.node)).toEqual(statedBy(owner.records, owner.node))
    expect(at.missing.size).toBe(0)
  })

  test('asks whoever names a version that is missing, and nobody who names what is held', () => {
    const { at, owner, a } = open()
    const { version } = owner.own
    const have = { kind: 'have', entries: [{ node: owner.node, version }] } as const
    at.stand.call(() => at.spread.onHave(a, have))
    at.stand.pass(300)
    expect(sentBy(at)).toEqual([`want ${a}`])
    receive(at, a, owner.deltaFrom(0))
    sentBy(at)
    at.stand.call(() => at.spread.onHave(a, have))
    at.stand.pass(1000)
    expect(sentBy(at)).toEqual([])
  })

  test('does not ask for records of strangers', () => {
    const { at, a } = open()
    const { node } = notaryOf('stranger')
    const entries = [{ node, version: 4 }]
    at.stand.call(() => at.spread.onHave(a, { kind: 'have', entries }))
    expect(at.missing.size).toBe(0)
  })

  test('tells a peer no name of what came from it', () => {
    const { at, owner, a, b } = open()
    const [successor = a] = [...at.rings.successors].filter((peer) => peer === a || peer === b)
    at.links.setEager(successor, false)
    receive(at, owner.node, owner.deltaFrom(0))
    const entries = [{ node: owner.node, version: owner.own.version }]
    at.stand.call(() => at.spread.onHave(successor, { kind: 'have', entries }))
    expect(at.links.takeNews(successor)).toEqual([])
  })

  test('says why it refuses a delta, and asks the next source', () => {
    const { at, owner, a, b } = open()
    const { node } = owner
    at.stand.call(() => at.missing.askNow(node, 9, a))
    at.stand.call(() => at.missing.note(node, 9, b))
    at.stand.sent.splice(0)
    const delta = owner.deltaFrom(0)
    receive(at, a, { ...delta, records: [] })
    expect(at.stand.takeEvents()).toEqual([
      { kind: 'rejected', from: a, reason: 'wrong-digest', message: 'delta' },
    ])
    expect(sentBy(at)).toEqual([`want ${b}`])
  })

  describe('of records of this node itself', () => {
    /** What a later life of it, or another copy of the machine, stated. */
    const twin = (version: number) =>
      new Owner('self', { firstVersion: version }).publish({ k: '1' })

    test('goes above a version that it signed but does not know', () => {
      const { at, a } = open()
      receive(at, a, twin(70).deltaFrom(0))
      expect(at.ownAhead).toEqual([70])
      expect([...at.records.live()]).toEqual([])
    })

    test('does not believe a head that it did not sign', () => {
      const { at, a } = open()
      const delta = twin(70).deltaFrom(0)
      receive(at, a, { ...delta, head: { ...delta.head, version: 2 ** 53 - 1 } })
      expect(at.ownAhead).toEqual([])
    })

    test('does not believe a version that it only hears of, but asks for it', () => {
      const { at, a } = open()
      const { self } = at.stand.ground
      const entries = [{ node: self, version: 2 ** 53 - 1 }]
      at.stand.call(() => at.spread.onHave(a, { kind: 'have', entries }))
      at.stand.pass(300)
      expect(at.ownAhead).toEqual([])
      expect(sentBy(at)).toEqual([`want ${a}`])
      receive(at, a, twin(70).deltaFrom(0))
      expect(at.ownAhead).toEqual([70])
      expect(at.missing.size).toBe(0)
    })

    test('takes them over from an earlier life while it has stated nothing in this one', () => {
      const { at, a } = open()
      at.isSilent = true
      receive(at, a, twin(70).deltaFrom(0))
      expect(at.ownAhead).toEqual([])
      expect(at.earlierLives).toBe(1)
      expect([...at.records.live()].map(({ key }) => key)).toEqual(['k'])
    })
  })
})
