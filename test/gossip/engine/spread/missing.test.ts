import { describe, expect, test } from 'vitest'
import type { NodeId } from '../../../../src/model/node-id.ts'
import { Neighbourhood } from '../neighbourhood.ts'
import { Owner } from '../own-node.ts'

/** Longer than an unasked copy is waited for, and longer than an answer. */
const GRACE_MS = 200
const ANSWER_MS = 250

interface Wants {
  readonly to: string
  readonly nodes: readonly NodeId[]
}

/** Whom was asked for what, since the last time. */
function wants({ stand }: Neighbourhood): Wants[] {
  return stand
    .take('want')
    .map(({ to, message }) => ({ to, nodes: message.entries.map(({ node }) => node) }))
}

/** A node that hears of versions of `subject` from a and b. */
function open(): { at: Neighbourhood; subject: NodeId; a: NodeId; b: NodeId } {
  const at = new Neighbourhood('a', 'b', 'subject')
  const [a, b, subject] = at.peers
  if (a === undefined || b === undefined || subject === undefined) throw new Error('peers')
  return { at, subject, a, b }
}

describe('what is missing', () => {
  test('is asked for after a moment, for it may come unasked', () => {
    const { at, subject, a } = open()
    at.stand.call(() => at.missing.note(subject, 5, a))
    expect(at.missing.versionOf(subject)).toBe(5)
    at.stand.pass(10)
    expect(wants(at)).toEqual([])
    at.stand.pass(GRACE_MS)
    expect(wants(at)).toEqual([{ to: a, nodes: [subject] }])
    expect(at.missing.isAskedOf(subject, a)).toBe(true)
  })

  test('is not asked for once it came', () => {
    const { at, subject, a } = open()
    at.stand.call(() => at.missing.note(subject, 5, a))
    at.stand.ground.membership.hold(subject, 5)
    at.stand.call(() => at.missing.settle(subject))
    at.stand.pass(10_000)
    expect(wants(at)).toEqual([])
    expect(at.missing.size).toBe(0)
  })

  test.each([5, 6])('is nothing when version 5 is told of and %i is held', (held) => {
    const { at, subject, a } = open()
    at.stand.ground.membership.hold(subject, held)
    at.stand.call(() => at.missing.note(subject, 5, a))
    expect(at.missing.size).toBe(0)
  })

  test('is asked for at once when something came that does not fit', () => {
    const { at, subject, a } = open()
    at.stand.call(() => at.missing.askNow(subject, 5, a))
    expect(wants(at)).toEqual([{ to: a, nodes: [subject] }])
    at.stand.call(() => at.missing.askNow(subject, 6, a))
    expect(wants(at)).toEqual([])
    expect(at.missing.versionOf(subject)).toBe(6)
  })

  test('is asked of each source in turn, ever more patiently, then given up', () => {
    const { at, subject, a, b } = open()
    at.stand.call(() => at.missing.askNow(subject, 5, a))
    at.stand.call(() => at.missing.note(subject, 5, b))
    at.stand.call(() => at.missing.note(subject, 5, b))
    for (const [attempt, source] of [a, b, a, b, a, b].entries()) {
      expect(wants(at)).toEqual([{ to: source, nodes: [subject] }])
      expect(at.missing.size).toBe(1)
      at.stand.pass((attempt + 1) * ANSWER_MS - 1)
      expect(wants(at)).toEqual([])
      at.stand.pass(1)
    }
    expect(wants(at)).toEqual([])
    expect(at.missing.size).toBe(0)
  })

  test('can be asked for again after it was given up', () => {
    const { at, subject, a } = open()
    at.stand.call(() => at.missing.askNow(subject, 5, a))
    at.stand.pass(21 * ANSWER_MS)
    wants(at)
    expect(at.missing.size).toBe(0)
    at.stand.call(() => at.missing.askNow(subject, 5, a))
    expect(wants(at)).toEqual([{ to: a, nodes: [subject] }])
  })

  test('is asked of the next source at once when the answer was nonsense', () => {
    const { at, subject, a, b } = open()
    at.stand.call(() => at.missing.askNow(subject, 5, a))
    at.stand.call(() => at.missing.note(subject, 5, b))
    wants(at)
    at.stand.call(() => at.missing.settle(subject, b))
    expect(wants(at)).toEqual([])
    at.stand.call(() => at.missing.settle(subject, a))
    expect(wants(at)).toEqual([{ to: b, nodes: [subject] }])
  })

  test('goes on with the source that answered in parts, and waits for each anew', () => {
    const { at, subject, a, b } = open()
    at.stand.call(() => at.missing.askNow(subject, 5, a))
    wants(at)
    for (let part = 0; part < 5; part++) {
      at.stand.pass(ANSWER_MS - 50)
      at.stand.call(() => at.missing.goOn(subject, b))
      expect(wants(at)).toEqual([])
      at.stand.call(() => at.missing.goOn(subject, a))
      expect(wants(at)).toEqual([{ to: a, nodes: [subject] }])
    }
  })

  test('is waited for as at first once a part came, however often it was asked for before', () => {
    const { at, subject, a, b } = open()
    at.stand.call(() => at.missing.askNow(subject, 5, a))
    at.stand.call(() => at.missing.note(subject, 5, b))
    at.stand.pass(ANSWER_MS + 2 * ANSWER_MS)
    expect(at.missing.isAskedOf(subject, a)).toBe(true)
    at.stand.call(() => at.missing.goOn(subject, a))
    wants(at)
    at.stand.pass(ANSWER_MS)
    expect(wants(at)).toEqual([{ to: b, nodes: [subject] }])
  })

  test('of many nodes is asked for a few at a time, the rest as answers come', () => {
    const names = Array.from({ length: 100 }, (_, number) => `many ${number}`)
    const at = new Neighbourhood('a', ...names)
    const [a, ...subjects] = at.peers
    if (a === undefined) throw new Error('peers')
    at.stand.call(() => {
      for (const subject of subjects) at.missing.note(subject, 5, a)
    })
    at.stand.pass(GRACE_MS)
    const asked = wants(at).flatMap(({ nodes }) => nodes)
    expect(asked).toHaveLength(32)
    const rest = new Set(asked)
    for (const subject of asked) {
      at.stand.ground.membership.hold(subject, 5)
      at.stand.call(() => at.missing.settle(subject))
      for (const node of wants(at).flatMap(({ nodes }) => nodes)) {
        expect(rest.has(node)).toBe(false)
        rest.add(node)
      }
    }
    expect(rest.size).toBe(64)
    at.stand.pass(60_000)
    expect(at.missing.size).toBe(0)
    for (const { nodes } of wants(at)) for (const node of nodes) rest.add(node)
    expect(rest).toEqual(new Set(subjects))
  })

  test('of a forgotten node is forgotten, and makes room', () => {
    const { at, subject, a } = open()
    at.stand.call(() => at.missing.askNow(subject, 5, a))
    wants(at)
    at.stand.call(() => at.missing.drop(subject))
    at.stand.pass(10_000)
    expect(wants(at)).toEqual([])
    expect(at.missing.size).toBe(0)
  })

  test('has few sources: the oldest are let go', () => {
    const names = Array.from({ length: 8 }, (_, number) => `source ${number}`)
    const at = new Neighbourhood('subject', ...names)
    const [subject, ...sources] = at.peers
    if (subject === undefined) throw new Error('peers')
    at.stand.call(() => {
      for (const source of sources) at.missing.note(subject, 5, source)
    })
    at.stand.pass(10_000)
    expect(new Set(wants(at).map(({ to }) => to))).toEqual(new Set(sources.slice(-4)))
  })

  test('begins anew once it was given up in the middle', () => {
    const { at, subject, a } = open()
    const owner = new Owner('subject', { settings: { partBytes: 60 } })
    owner.publish({ k: 'one', l: 'two', m: 'three' })
    const [part] = owner.partsFrom(0)
    if (part === undefined) throw new Error('no part')
    at.stand.call(() => at.missing.askNow(subject, 3, a))
    at.stand.call(() => at.spread.onDelta(a, part))
    expect(at.stand.take('want').at(-1)?.message.entries).toEqual([
      { node: subject, held: part.through, isStaged: true },
    ])
    at.stand.pass(60_000)
    at.stand.take('want')
    at.stand.call(() => at.missing.askNow(subject, 3, a))
    expect(at.stand.take('want')[0]?.message.entries).toEqual([
      { node: subject, held: 0, isStaged: false },
    ])
  })

  test('once may be bad luck; the second time in a while the link is grafted, on both sides', () => {
    const { at, subject, a } = open()
    at.links.setEager(a, false)
    at.stand.pass(10_000)
    const isGraft = (version: number) => {
      at.stand.call(() => at.missing.askNow(subject, version, a))
      at.stand.ground.membership.hold(subject, version)
      at.stand.call(() => at.missing.settle(subject))
      return at.stand.take('want').map(({ message }) => message.isGraft)
    }
    expect(isGraft(1)).toEqual([false])
    expect(at.links.isEager(a)).toBe(false)
    at.stand.pass(1000)
    expect(isGraft(2)).toEqual([true])
    expect(at.links.isEager(a)).toBe(true)
    at.stand.pass(60_000)
    expect(isGraft(3)).toEqual([false])
  })
})
