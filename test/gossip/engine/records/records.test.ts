import { describe, expect, test } from 'vitest'
import { statedBy } from '../own-node.ts'
import { ownerOf, Receiver, SMALL_PARTS, VALUES } from '../receiver.ts'

describe('records', () => {
  test('are taken over whole, and reported', () => {
    const owner = ownerOf(VALUES)
    const receiver = new Receiver(owner)
    expect(receiver.receive(owner.deltaFrom(0))).toEqual({ kind: 'applied', isWhole: true })
    expect(statedBy(receiver.records, owner.node)).toEqual(statedBy(owner.records, owner.node))
    expect(receiver.takeRows()).toEqual(VALUES)
    expect(receiver.stand.ground.membership.heldOf(owner.node)).toBe(owner.own.version)
  })

  test('travel as differences, and only these are reported', () => {
    const owner = ownerOf(VALUES)
    const receiver = new Receiver(owner)
    receiver.receive(owner.deltaFrom(0))
    receiver.takeRows()
    const held = owner.own.version
    owner.publish({ b: 'new', c: undefined, f: 'six' })
    const delta = owner.deltaFrom(held)
    expect(delta.records.map(({ key, isDeleted }) => [key, isDeleted])).toEqual([
      ['b', false],
      ['c', true],
      ['f', false],
    ])
    expect(receiver.receive(delta)).toEqual({ kind: 'applied', isWhole: false })
    expect(receiver.takeRows()).toEqual({ b: 'new', c: undefined, f: 'six' })
    expect(statedBy(receiver.records, owner.node)).toEqual(statedBy(owner.records, owner.node))
  })

  test('in parts show nothing before the last one', () => {
    const owner = ownerOf(VALUES, SMALL_PARTS)
    const parts = owner.partsFrom(0)
    expect(parts.length).toBeGreaterThan(2)
    const receiver = new Receiver(owner)
    for (const part of parts.slice(0, -1)) {
      const next = { node: owner.node, held: part.through, isStaged: true }
      expect(receiver.receive(part)).toEqual({ kind: 'staged', next })
      expect(receiver.records.wantOf(owner.node)).toEqual(next)
      expect(receiver.stand.ground.membership.heldOf(owner.node)).toBe(0)
      expect(receiver.takeRows()).toEqual({})
    }
    for (const part of parts.slice(-1)) {
      expect(receiver.receive(part)).toEqual({ kind: 'applied', isWhole: true })
    }
    expect(receiver.takeRows()).toEqual(VALUES)
    const held = owner.own.version
    expect(receiver.records.wantOf(owner.node)).toEqual({ node: owner.node, held, isStaged: false })
  })

  test('in parts of a difference are asked for as such', () => {
    const owner = ownerOf(VALUES, SMALL_PARTS)
    const receiver = new Receiver(owner)
    for (const part of owner.partsFrom(0)) receiver.receive(part)
    const held = owner.own.version
    owner.publish({ a: '1', b: '2', c: '3', d: '4', e: '5' })
    const [first] = owner.partsFrom(held)
    const through = first?.through ?? 0
    expect(first?.from).toBe(held)
    expect(through).toBeLessThan(owner.own.version)
    if (first === undefined) return
    const next = { node: owner.node, held: through, isStaged: false }
    expect(receiver.receive(first)).toEqual({ kind: 'staged', next })
  })

  test('in parts go on when the owner changes something in between', () => {
    const owner = ownerOf(VALUES, SMALL_PARTS)
    const receiver = new Receiver(owner)
    const [first] = owner.partsFrom(0)
    if (first === undefined) throw new Error('no part')
    receiver.receive(first)
    owner.publish({ a: undefined, e: 'changed', g: 'new' })
    for (;;) {
      const next = owner.records.partFor(receiver.records.wantOf(owner.node))
      if (next === undefined) break
      expect(next.from).toBeGreaterThan(0)
      expect(['staged', 'applied']).toContain(receiver.receive(next).kind)
    }
    expect(statedBy(receiver.records, owner.node)).toEqual(statedBy(owner.records, owner.node))
    expect(receiver.takeRows()).toMatchObject({ e: 'changed', g: 'new' })
  })

  test('in parts begin anew once what was staged is given up', () => {
    const owner = ownerOf(VALUES, SMALL_PARTS)
    const receiver = new Receiver(owner)
    const [first, second] = owner.partsFrom(0)
    if (first === undefined || second === undefined) throw new Error('no parts')
    receiver.receive(first)
    receiver.records.unstage(owner.node)
    expect(receiver.records.wantOf(owner.node)).toMatchObject({ held: 0, isStaged: false })
    expect(receiver.receive(second)).toEqual({ kind: 'gap' })
  })

  test('that come twice are duplicates, older ones too', () => {
    const owner = ownerOf(VALUES)
    const old = owner.deltaFrom(0)
    const receiver = new Receiver(owner)
    receiver.receive(old)
    expect(receiver.receive(old)).toEqual({ kind: 'duplicate' })
    const held = owner.own.version
    owner.publish({ a: 'new' })
    receiver.receive(owner.deltaFrom(held))
    expect(receiver.receive(old)).toEqual({ kind: 'duplicate' })
    expect(statedBy(receiver.records, owner.node)).toEqual(statedBy(owner.records, owner.node))
  })

  test('that build on what is not held are a gap', () => {
    const owner = ownerOf(VALUES)
    const held = owner.own.version
    owner.publish({ a: 'new' })
    const receiver = new Receiver(owner)
    expect(receiver.receive(owner.deltaFrom(held))).toEqual({ kind: 'gap' })
  })

  test('that come double in a delta are taken once', () => {
    const owner = ownerOf(VALUES)
    const receiver = new Receiver(owner)
    const delta = owner.deltaFrom(0)
    receiver.receive({ ...delta, records: delta.records.flatMap((record) => [record, record]) })
    expect(receiver.stand.rows).toHaveLength(5)
    const set = receiver.records.of(owner.node)?.set
    expect(set?.since(0, 10_000).records).toEqual(delta.records)
  })

  test('that build on less than what is held bring only what is newer', () => {
    const owner = ownerOf(VALUES)
    const receiver = new Receiver(owner)
    const before = owner.own.version
    owner.publish({ a: 'second' })
    receiver.receive(owner.deltaFrom(0))
    receiver.takeRows()
    owner.publish({ b: undefined })
    const delta = owner.deltaFrom(before)
    expect(delta.records.map(({ key }) => key)).toEqual(['a', 'b'])
    receiver.receive(delta)
    expect(receiver.takeRows()).toEqual({ b: undefined })
    const given = receiver.records.of(owner.node)?.set.since(0, 10_000).records ?? []
    expect(given.map(({ key }) => key)).toEqual(['c', 'd', 'e', 'a', 'b'])
  })

  test('that build on less than what is held are taken for what they bring', () => {
    const owner = ownerOf(VALUES)
    const receiver = new Receiver(owner)
    const before = owner.own.version
    owner.publish({ a: 'second' })
    receiver.receive(owner.deltaFrom(0))
    receiver.takeRows()
    owner.publish({ a: 'third', b: undefined })
    expect(receiver.receive(owner.deltaFrom(before))).toEqual({ kind: 'applied', isWhole: false })
    expect(receiver.takeRows()).toEqual({ a: 'third', b: undefined })
  })

  test('replace what is held below the floor: what is gone is reported as gone', () => {
    const owner = ownerOf(VALUES)
    const receiver = new Receiver(owner)
    receiver.receive(owner.deltaFrom(0))
    const held = owner.own.version
    receiver.takeRows()
    owner.stand.call(() => owner.own.jumpAbove(held + 100))
    owner.publish({ a: undefined, b: 'new' })
    owner.stand.pass(owner.stand.ground.settings.retentionMs)
    expect(owner.records.of(owner.node)?.set.size).toBe(4)
    const delta = owner.deltaFrom(held)
    expect(delta.from).toBe(0)
    expect(receiver.receive(delta)).toEqual({ kind: 'applied', isWhole: true })
    expect(receiver.takeRows()).toEqual({ a: undefined, b: 'new' })
    expect(statedBy(receiver.records, owner.node)).toEqual(statedBy(owner.records, owner.node))
  })

  test('of a forgotten node are reported as gone, and nothing of them stays', () => {
    const owner = ownerOf(VALUES)
    const receiver = new Receiver(owner)
    receiver.receive(owner.deltaFrom(0))
    receiver.takeRows()
    receiver.stand.call(() => receiver.records.drop(owner.node))
    expect(Object.keys(receiver.takeRows()).sort()).toEqual(Object.keys(VALUES))
    expect([...receiver.records.live()]).toEqual([])
    expect(receiver.records.of(owner.node)).toBeUndefined()
  })

  test('age while they are held', () => {
    const owner = ownerOf(VALUES)
    const receiver = new Receiver(owner)
    receiver.receive({ ...owner.deltaFrom(0), ageMs: 30 })
    receiver.stand.pass(12)
    const want = { node: owner.node, held: 0, isStaged: false }
    expect(receiver.records.partFor(want)?.ageMs).toBe(42)
  })

  test('keep an age that fits its field for years', () => {
    const owner = ownerOf(VALUES)
    const receiver = new Receiver(owner)
    receiver.receive({ ...owner.deltaFrom(0), ageMs: 2 ** 32 - 1 })
    receiver.stand.pass(100)
    const want = { node: owner.node, held: 0, isStaged: false }
    expect(receiver.records.partFor(want)?.ageMs).toBe(2 ** 32 - 1)
  })

  test('are given to nobody who holds them', () => {
    const owner = ownerOf(VALUES)
    const { node } = owner
    const held = owner.own.version
    expect(owner.records.partFor({ node, held, isStaged: false })).toBeUndefined()
    expect(owner.records.partFor({ node, held: held + 1, isStaged: false })).toBeUndefined()
  })

  test('are given as a difference from the floor on, whole below', () => {
    const owner = ownerOf(VALUES)
    owner.stand.call(() => owner.own.jumpAbove(100))
    owner.publish({ a: 'after' }).publish({ b: 'after' })
    const { node } = owner
    const floor = owner.records.of(node)?.head.floor ?? 0
    expect(owner.records.partFor({ node, held: floor, isStaged: false })?.from).toBe(floor)
    expect(owner.records.partFor({ node, held: floor - 1, isStaged: false })?.from).toBe(0)
    expect(owner.records.partFor({ node, held: floor - 1, isStaged: true })?.from).toBe(floor - 1)
  })
})
