import { describe, expect, test } from 'vitest'
import { Joining } from '../../../../src/gossip/engine/membership/joining.ts'
import type { Announcement } from '../../../../src/gossip/engine/statements.ts'
import type { Endpoint } from '../../../../src/model/endpoint.ts'
import type { NodeId } from '../../../../src/model/node-id.ts'
import { accuse, announce, endpointOf, nodeOf, notaryOf } from '../nodes.ts'
import { ownAnnouncement, Stand } from '../stand.ts'

const SEEDS = [endpointOf(11), endpointOf(12)]

/** A node that joins. */
class Newcomer {
  readonly stand: Stand = new Stand('self')
  readonly joining: Joining
  readonly synced: NodeId[] = []
  completions = 0
  isBehind = false
  isIsolated = false

  constructor() {
    const { membership } = this.stand.ground
    this.joining = new Joining(this.stand.ground, {
      ownAnnouncement: () => ownAnnouncement(this.stand),
      take: (announcements) => {
        for (const announcement of announcements) membership.announce(announcement)
      },
      sync: (peer) => this.synced.push(peer),
      isBehind: () => this.isBehind,
      isIsolated: () => this.isIsolated,
      onComplete: () => this.completions++,
    })
  }

  start(seeds: readonly Endpoint[], members: readonly Announcement[] = []): this {
    this.stand.call(() => this.joining.start(seeds, members))
    return this
  }

  welcome(...names: readonly string[]): void {
    const announcements = names.map((name) => announce(notaryOf(name)))
    const [from = nodeOf('stranger')] = names.map(nodeOf)
    this.stand.call(() => this.joining.onWelcome(from, { kind: 'welcome', announcements }))
  }

  /** Where was asked, since the last time. */
  asked(): string[] {
    return this.stand.take('join').map(({ to }) => to)
  }
}

const SEED_TEXTS = ['10.0.0.11:62080', '10.0.0.12:62080']

describe('joining', () => {
  test.each([
    { seeds: [], names: 'without seeds' },
    { seeds: [endpointOf(1)], names: 'with itself as the only seed' },
  ])('$names is complete at once', ({ seeds }) => {
    const newcomer = new Newcomer().start(seeds)
    expect(newcomer.completions).toBe(1)
    expect(newcomer.asked()).toEqual([])
    newcomer.stand.pass(100_000)
    expect(newcomer.completions).toBe(1)
  })

  test('asks the seeds again and again, itself left out', () => {
    const newcomer = new Newcomer().start([...SEEDS, endpointOf(1)])
    expect(newcomer.asked().sort()).toEqual(SEED_TEXTS)
    newcomer.stand.pass(499)
    expect(newcomer.asked()).toEqual([])
    newcomer.stand.pass(1)
    expect(newcomer.asked().sort()).toEqual(SEED_TEXTS)
  })

  test('asks a few of many seeds at a time, others the next time', () => {
    const seeds = Array.from({ length: 40 }, (_, number) => endpointOf(100 + number))
    const newcomer = new Newcomer().start(seeds)
    const first = newcomer.asked()
    expect(new Set(first).size).toBe(3)
    newcomer.stand.pass(500)
    expect(newcomer.asked()).not.toEqual(first)
  })

  test('tries members of an earlier life beside the seeds', () => {
    const members = [announce(notaryOf('a'), { endpoint: endpointOf(30) })]
    const newcomer = new Newcomer().start(SEEDS.slice(0, 1), members)
    expect(newcomer.asked().sort()).toEqual(['10.0.0.11:62080', '10.0.0.30:62080'])
  })

  test('shows its announcement', () => {
    const newcomer = new Newcomer().start(SEEDS)
    const [join] = newcomer.stand.take('join')
    expect(join?.message.announcement).toEqual(ownAnnouncement(newcomer.stand))
  })

  test('syncs with the first that welcomes, and is complete when that ended', () => {
    const newcomer = new Newcomer().start(SEEDS)
    newcomer.welcome('a', 'b')
    newcomer.welcome('c')
    expect(newcomer.synced).toEqual([nodeOf('a')])
    newcomer.asked()
    newcomer.stand.pass(5000)
    expect(newcomer.asked()).toEqual([])
    expect(newcomer.completions).toBe(0)
    newcomer.stand.call(() => newcomer.joining.onSynced())
    expect(newcomer.completions).toBe(1)
    expect(newcomer.joining.isComplete).toBe(true)
  })

  test('takes the announcements of every welcome', () => {
    const newcomer = new Newcomer().start(SEEDS)
    newcomer.welcome('a', 'b')
    newcomer.welcome('c')
    expect(newcomer.stand.ground.membership.size).toBe(4)
  })

  test('is not complete while versions that it heard of are missing', () => {
    const newcomer = new Newcomer().start(SEEDS)
    newcomer.isBehind = true
    newcomer.welcome('a')
    newcomer.stand.call(() => newcomer.joining.onSynced())
    expect(newcomer.completions).toBe(0)
    newcomer.isBehind = false
    newcomer.stand.call(() => newcomer.joining.check())
    expect(newcomer.completions).toBe(1)
  })

  test('is complete at last, although the sync never ends', () => {
    const newcomer = new Newcomer().start(SEEDS)
    newcomer.welcome('a')
    newcomer.stand.pass(9000)
    expect(newcomer.completions).toBe(0)
    newcomer.stand.pass(2000)
    expect(newcomer.completions).toBe(1)
  })

  test('is not ended by a welcome of somebody who is not believed', () => {
    const newcomer = new Newcomer().start(SEEDS)
    newcomer.welcome()
    newcomer.asked()
    newcomer.stand.pass(500)
    expect(newcomer.asked()).toHaveLength(2)
    newcomer.welcome('a')
    expect(newcomer.synced).toEqual([nodeOf('a')])
  })

  test('stands alone when nobody answers in time, but goes on asking', () => {
    const newcomer = new Newcomer().start(SEEDS)
    newcomer.stand.pass(2999)
    expect(newcomer.completions).toBe(0)
    newcomer.stand.pass(1)
    expect(newcomer.completions).toBe(1)
    newcomer.asked()
    newcomer.stand.pass(20_000)
    const count = newcomer.asked().length
    expect(count).toBeGreaterThan(10)
    expect(count).toBeLessThan(30)
    newcomer.welcome('a')
    newcomer.stand.pass(5000)
    newcomer.asked()
    newcomer.stand.pass(20_000)
    expect(newcomer.synced).toEqual([nodeOf('a')])
  })

  test('syncs with another member when the first sync does not come to an end', () => {
    const newcomer = new Newcomer().start(SEEDS)
    newcomer.welcome('a', 'b', 'c')
    expect(newcomer.synced).toHaveLength(1)
    newcomer.stand.pass(5000)
    expect(newcomer.synced.length).toBeGreaterThan(2)
    newcomer.stand.call(() => newcomer.joining.onSynced())
    const count = newcomer.synced.length
    newcomer.stand.pass(5000)
    expect(newcomer.synced).toHaveLength(count)
  })

  test('opens no other sync while it only waits for what the first told of', () => {
    const newcomer = new Newcomer().start(SEEDS)
    newcomer.isBehind = true
    newcomer.welcome('a', 'b', 'c')
    newcomer.stand.call(() => newcomer.joining.onSynced())
    newcomer.stand.pass(5000)
    expect(newcomer.completions).toBe(0)
    expect(newcomer.synced).toHaveLength(1)
  })

  test('begins anew after this node has forgotten all others', () => {
    const newcomer = new Newcomer().start(SEEDS)
    newcomer.welcome('a')
    newcomer.stand.pass(5000)
    newcomer.asked()
    newcomer.stand.call(() => newcomer.joining.restart())
    expect(newcomer.asked()).toHaveLength(2)
    newcomer.welcome('b')
    expect(newcomer.synced.at(-1)).toEqual(nodeOf('b'))
    expect(newcomer.completions).toBeLessThanOrEqual(1)
  })

  test('sees to seeds that are not among the living, now and then', () => {
    const newcomer = new Newcomer().start(SEEDS)
    newcomer.welcome('a')
    const living = announce(notaryOf('seed'), { endpoint: endpointOf(11) })
    newcomer.stand.ground.membership.announce(living)
    newcomer.stand.pass(1000)
    newcomer.asked()
    newcomer.stand.pass(60_000)
    expect(new Set(newcomer.asked())).toEqual(new Set(['10.0.0.12:62080']))
  })

  test('welcomes others with this node first, then living members, 24 at most', () => {
    const { joining, stand } = new Newcomer()
    const names = Array.from({ length: 40 }, (_, number) => `m${number}`)
    stand.meet(...names)
    const { membership } = stand.ground
    for (const name of names.slice(0, 10)) {
      membership.accuse(accuse(notaryOf('m39'), nodeOf(name)), 0)
    }
    const { announcements } = joining.welcome()
    expect(announcements).toHaveLength(24)
    expect(announcements[0]).toEqual(ownAnnouncement(stand))
    expect(new Set(announcements.map(({ node }) => node)).size).toBe(24)
    for (const { node } of announcements) expect(membership.stateOf(node)).toBe('alive')
    expect(joining.welcome().announcements).not.toEqual(announcements)
  })
})
