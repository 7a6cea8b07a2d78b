import { describe, expect, test } from 'vitest'
import { Owner, type OwnerOptions, peerOf, statedBy } from '../own-node.ts'

const RETENTION_MS = 100_000
const settings = { retentionMs: RETENTION_MS }

/** A node that holds what an earlier life of it stated. */
function restarted(earlier: Owner, options: OwnerOptions = {}): Owner {
  const owner = new Owner('owner', { settings, ...options })
  owner.stand.call(() => owner.records.receive(earlier.deltaFrom(0)))
  owner.stand.rows.splice(0)
  return owner
}

describe('own records of an earlier life', () => {
  const before = { a: '1', b: '2', c: '3' }

  test('are gone on from: only differences get new versions', () => {
    const earlier = new Owner('owner', { settings }).publish(before)
    const held = earlier.own.version
    const owner = restarted(earlier, { firstVersion: 1000 }).publish({ a: '1', b: 'new', c: '3' })
    expect(owner.deltas).toMatchObject([
      { from: held, head: { floor: 1, version: 1000 }, records: [{ key: 'b', version: 1000 }] },
    ])
    const peer = peerOf(owner)
    peer.stand.call(() => peer.records.receive(earlier.deltaFrom(0)))
    expect(peer.follow()).toEqual(['applied'])
    expect(statedBy(peer.records, owner.node)).toEqual(statedBy(owner.records, owner.node))
  })

  test('that are still true are not stated again', () => {
    const earlier = new Owner('owner', { settings }).publish(before)
    const owner = restarted(earlier, { firstVersion: 1000 }).publish(before)
    expect(owner.deltas).toEqual([])
    expect(owner.live()).toEqual(before)
  })

  test('that nobody wants any more are removed, but not before the inputs are complete', () => {
    const earlier = new Owner('owner', { settings }).publish(before)
    const owner = restarted(earlier, { firstVersion: 1000 }).publish({ a: '1' }, false)
    expect(owner.live()).toEqual(before)
    owner.publish({ b: '2' }, false)
    expect(owner.live()).toEqual(before)
    owner.publish({}, true)
    expect(owner.live()).toEqual({ a: '1', b: '2' })
  })

  test('that come late, when nothing was stated yet, are gone on from as well', () => {
    const earlier = new Owner('owner', { settings }).publish(before)
    const owner = restarted(earlier, { firstVersion: 1000 }).publish(before)
    const held = earlier.own.version
    earlier.publish({ a: 'late', d: 'late' })
    owner.stand.call(() => owner.records.receive(earlier.deltaFrom(held)))
    owner.publish({ e: '5' })
    expect(owner.live()).toEqual({ ...before, e: '5' })
  })

  test('with a version above the first one are gone above', () => {
    const earlier = new Owner('owner', { firstVersion: 5000, settings }).publish(before)
    const held = earlier.own.version
    const owner = restarted(earlier, { firstVersion: 1000 }).publish({ ...before, a: 'new' })
    expect(owner.deltas).toMatchObject([{ from: held, through: held + 1 }])
  })

  test('that nobody holds are replaced: the floor keeps whoever comes with them from mixing', () => {
    const earlier = new Owner('owner', { settings }).publish(before)
    const owner = new Owner('owner', { firstVersion: 1000, settings }).publish({ a: 'new' })
    const peer = peerOf(owner)
    peer.stand.call(() => peer.records.receive(earlier.deltaFrom(0)))
    const want = peer.records.wantOf(owner.node)
    const answer = owner.records.partFor(want)
    expect(answer?.from).toBe(0)
    expect(peer.follow()).toEqual(['applied'])
    expect(statedBy(peer.records, owner.node)).toEqual(statedBy(owner.records, owner.node))
  })

  test('keep their tombstones for the retention, then drop them', () => {
    const earlier = new Owner('owner', { settings }).publish(before).publish({ a: undefined })
    const owner = restarted(earlier, { firstVersion: 1000 })
    owner.publish({ b: '2', c: '3', d: 'new' })
    expect(owner.records.of(owner.node)?.set.size).toBe(4)
    owner.stand.pass(RETENTION_MS + 100)
    expect(owner.records.of(owner.node)?.set.size).toBe(3)
  })

  test('keep their tombstones for the retention also when nothing new is stated', () => {
    const earlier = new Owner('owner', { settings }).publish(before).publish({ a: undefined })
    const owner = restarted(earlier, { firstVersion: 1000 }).publish({ b: '2', c: '3' })
    expect(owner.records.of(owner.node)?.set.size).toBe(3)
    owner.stand.pass(RETENTION_MS + 100)
    expect(owner.records.of(owner.node)?.set.size).toBe(2)
  })
})
