import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Owner, peerOf, statedBy } from '../own-node.ts'
import { change } from './record-sets.ts'

const RETENTION_MS = 100_000
const settings = { retentionMs: RETENTION_MS }

describe('own records', () => {
  test('are stated first as a whole, from the first version on', () => {
    const owner = new Owner('owner', { firstVersion: 500 }).publish({ a: '1', b: '2' })
    expect(owner.deltas).toHaveLength(1)
    expect(owner.deltas[0]).toMatchObject({
      from: 0,
      through: 501,
      head: { version: 501, floor: 500 },
      records: [{ version: 500 }, { version: 501 }],
    })
    expect(owner.own.version).toBe(501)
    expect(owner.own.hasSpoken).toBe(true)
    expect(owner.live()).toEqual({ a: '1', b: '2' })
  })

  test('are not stated before the first anti-entropy ended', () => {
    const owner = new Owner('owner', { isJoined: false }).publish({ a: '1' })
    owner.stand.pass(60_000)
    expect(owner.deltas).toEqual([])
    owner.isJoined = true
    owner.stand.call(() => owner.own.onEarlierLife())
    owner.stand.pass(10)
    expect(owner.deltas.map(({ records }) => records.length)).toEqual([1])
  })

  test('of several publications in a moment make one delta', () => {
    const owner = new Owner('owner')
    owner.stand.call(() => owner.own.publish([change('a', '1')], false))
    owner.stand.call(() => owner.own.publish([change('b', '2')], false))
    owner.stand.call(() => owner.own.publish([change('a', '3')], true))
    owner.stand.pass(10)
    expect(owner.deltas.map(({ records }) => records.length)).toEqual([2])
    expect(owner.live()).toEqual({ a: '3', b: '2' })
  })

  test('get a version each time that they change, and none when they are published as they are', () => {
    const owner = new Owner('owner').publish({ a: '1', b: '2' })
    const { version } = owner.own
    owner.deltas.splice(0)
    owner.publish({ a: '1', b: '2', c: undefined })
    expect(owner.deltas).toEqual([])
    owner.publish({ a: '9' })
    expect(owner.deltas).toMatchObject([
      { from: version, through: version + 1, records: [{ key: 'a', version: version + 1 }] },
    ])
  })

  test('get a version when only their schema changes', () => {
    const owner = new Owner('owner').publish({ a: '1' })
    owner.deltas.splice(0)
    const [id, record] = change('a', '1')
    if (record === undefined) throw new Error('no record')
    owner.stand.call(() => owner.own.publish([[id, { ...record, schema: 2 }]], true))
    owner.stand.pass(10)
    expect(owner.deltas).toMatchObject([{ records: [{ key: 'a', schema: 2 }] }])
  })

  test('that are removed become tombstones', () => {
    const owner = new Owner('owner').publish({ a: '1', b: '2' })
    owner.stand.rows.splice(0)
    owner.deltas.splice(0)
    owner.publish({ a: undefined })
    expect(owner.deltas).toMatchObject([{ records: [{ key: 'a', isDeleted: true }] }])
    expect(owner.deltas[0]?.records[0]?.value).toHaveLength(0)
    expect(owner.live()).toEqual({ b: '2' })
    expect(owner.stand.rows.map(([, row]) => row)).toEqual([undefined])
  })

  test('are not removed before the inputs are complete', () => {
    const owner = new Owner('owner').publish({ a: '1', b: '2' }, false)
    owner.publish({ a: undefined, b: '3' }, false)
    expect(owner.live()).toEqual({ a: '1', b: '3' })
    owner.publish({}, true)
    expect(owner.live()).toEqual({ b: '3' })
    owner.publish({ b: undefined }, true)
    expect(owner.live()).toEqual({})
  })

  test('followed by a peer are the same there, whatever is published', () => {
    const anyStep = fc.record({
      values: fc.dictionary(
        fc.constantFrom('a', 'b', 'c', 'd', 'e'),
        fc.option(fc.string({ maxLength: 3 }), { nil: undefined }),
      ),
      passMs: fc.constantFrom(0, 5, RETENTION_MS / 2),
      jump: fc.option(fc.nat(50), { nil: undefined, freq: 6 }),
      isLost: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 20 }), (steps) => {
        const owner = new Owner('owner', { settings })
        const peer = peerOf(owner)
        for (const { values, passMs, jump, isLost } of steps) {
          if (jump !== undefined) {
            owner.stand.call(() => owner.own.jumpAbove(owner.own.version + jump))
          }
          owner.publish(values)
          owner.stand.pass(passMs)
          if (isLost) owner.deltas.splice(0)
          peer.follow()
          const want = peer.records.wantOf(owner.node)
          const rest = owner.records.partFor(want)
          if (rest !== undefined) peer.stand.call(() => peer.records.receive(rest))
          expect(statedBy(peer.records, owner.node)).toEqual(statedBy(owner.records, owner.node))
        }
      }),
    )
  })

  test('have versions that never fall or repeat', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 12 }), (jumps) => {
        const owner = new Owner('owner', { settings })
        const stated = new Map<number, string>()
        for (const [index, jump] of jumps.entries()) {
          owner.stand.call(() => owner.own.jumpAbove(owner.own.version + jump - 10))
          owner.publish({ a: `${index}`, [`k${index % 3}`]: index % 2 ? 'x' : undefined })
          for (const { head } of owner.deltas.splice(0)) {
            expect(head.version).toBeGreaterThan(Math.max(0, ...stated.keys()))
            stated.set(head.version, Buffer.from(head.digest).toString('hex'))
          }
        }
      }),
    )
  })

  describe('when a later version of them is out there', () => {
    test('are stated above it, whole, and peers that hold it accept that', () => {
      const earlier = new Owner('owner', { firstVersion: 5000, settings }).publish({ x: 'old' })
      const owner = new Owner('owner', { firstVersion: 10, settings }).publish({ a: '1', b: '2' })
      const peer = peerOf(owner)
      peer.stand.call(() => peer.records.receive(earlier.deltaFrom(0)))
      expect(peer.follow()).toEqual(['duplicate'])
      owner.stand.call(() => owner.own.jumpAbove(earlier.own.version))
      owner.stand.pass(10)
      expect(peer.follow()).toEqual(['applied'])
      expect(statedBy(peer.records, owner.node)).toEqual(statedBy(owner.records, owner.node))
      expect(owner.own.version).toBe(earlier.own.version + 1)
      const rows = peer.stand.rows.map(([id, row]) => [id.split('/').at(-1), row !== undefined])
      expect(new Map(rows as [string, boolean][])).toEqual(
        new Map([
          ['x', false],
          ['a', true],
          ['b', true],
        ]),
      )
    })

    test('are stated above it also when there are none', () => {
      const owner = new Owner('owner', { firstVersion: 10, settings }).publish({ a: '1' })
      owner.publish({ a: undefined }).deltas.splice(0)
      owner.stand.call(() => owner.own.jumpAbove(400))
      owner.stand.pass(10)
      expect(owner.deltas).toMatchObject([{ from: 0, head: { version: 401, floor: 401 } }])
    })

    test.each([-1, 0])('stay as they are if it is only %i ahead', (ahead) => {
      const owner = new Owner('owner', { firstVersion: 10, settings }).publish({ a: '1' })
      owner.deltas.splice(0)
      owner.stand.call(() => owner.own.jumpAbove(owner.own.version + ahead))
      owner.stand.pass(10)
      expect(owner.deltas).toEqual([])
    })

    test('change that is not complete yet keeps what was stated', () => {
      const owner = new Owner('owner', { firstVersion: 10, settings }).publish(
        { a: '1', b: '2' },
        false,
      )
      owner.stand.call(() => owner.own.jumpAbove(400))
      owner.stand.pass(10)
      expect(owner.live()).toEqual({ a: '1', b: '2' })
    })
  })

  describe('that were deleted', () => {
    test('are forgotten after the retention, by raising the floor; peers stay equal', () => {
      const owner = new Owner('owner', { settings }).publish({ a: '1', b: '2', c: '3' })
      const peer = peerOf(owner)
      owner.publish({ a: undefined })
      owner.stand.pass(RETENTION_MS / 2)
      owner.publish({ b: undefined })
      peer.follow()
      const deletedA = 4
      expect(owner.records.of(owner.node)?.set.size).toBe(3)
      owner.stand.pass(RETENTION_MS / 2)
      expect(owner.records.of(owner.node)).toMatchObject({ head: { floor: deletedA, version: 6 } })
      expect(owner.records.of(owner.node)?.set.size).toBe(2)
      expect(peer.follow()).toEqual(['applied'])
      expect(statedBy(peer.records, owner.node)).toEqual(statedBy(owner.records, owner.node))
      owner.stand.pass(RETENTION_MS / 2)
      expect(owner.records.of(owner.node)?.set.size).toBe(1)
      expect(peer.follow()).toEqual(['applied'])
      expect(statedBy(peer.records, owner.node)).toEqual(statedBy(owner.records, owner.node))
      owner.stand.pass(10 * RETENTION_MS)
      expect(owner.deltas).toEqual([])
    })

    test('are kept before', () => {
      const owner = new Owner('owner', { settings }).publish({ a: '1' }).publish({ a: undefined })
      owner.stand.pass(RETENTION_MS - 20)
      expect(owner.records.of(owner.node)?.set.size).toBe(1)
    })

    test('are forgotten at their time on a clock whose sums are rounded', () => {
      const owner = new Owner('owner', { settings: { retentionMs: 86_400_000 } }).publish({
        a: '1',
      })
      // here the difference of two times comes out smaller than the time that was waited
      owner.stand.pass(1_066_404_664.134_488_2 - 5 - owner.stand.nowMs)
      owner.publish({ a: undefined })
      const { version } = owner.own
      owner.stand.pass(86_400_100)
      expect(owner.own.version).toBe(version + 1)
      expect(owner.records.of(owner.node)?.set.size).toBe(0)
    })
  })
})
