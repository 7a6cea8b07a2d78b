import { describe, expect, test } from 'vitest'
import { ProbeSchedule } from '../../../../src/gossip/engine/detection/schedule.ts'
import { Rings } from '../../../../src/gossip/engine/spread/rings.ts'
import type { NodeId } from '../../../../src/model/node-id.ts'
import { accuse, announce, notaryOf } from '../nodes.ts'
import { Watch } from '../watch.ts'

/** A node among others that all answer at once; counts whom it pings. */
class Round {
  readonly watch: Watch
  readonly rings: Rings
  readonly schedule: ProbeSchedule

  constructor(others: number) {
    this.watch = new Watch(others - 1)
    const { ground } = this.watch.stand
    this.rings = new Rings(ground.self, {
      nodes: () => ground.membership.nodes(),
      isEligible: (node) => ['alive', 'doubted'].includes(ground.membership.stateOf(node) ?? ''),
    })
    this.schedule = new ProbeSchedule(ground, {
      prober: this.watch.prober,
      health: this.watch.health,
      rings: this.rings,
    })
  }

  start(): void {
    this.watch.stand.call(() => {
      this.schedule.start()
      this.schedule.refresh()
    })
  }

  pass(durationMs: number): Map<string, number> {
    const counts = new Map<string, number>()
    for (let ms = 0; ms < durationMs; ms += 5) {
      this.watch.stand.pass(5)
      for (const { to, message } of this.watch.stand.take('ping')) {
        counts.set(to, (counts.get(to) ?? 0) + 1)
        this.watch.answer(message.sequence, to as NodeId)
      }
    }
    return counts
  }
}

describe('the schedule of probes', () => {
  test('pings the only other node about every 150 ms', () => {
    const round = new Round(1)
    round.start()
    const count = round.pass(10_000).get(round.watch.subject) ?? 0
    expect(count).toBeGreaterThan(57)
    expect(count).toBeLessThan(80)
  })

  test('pings less often while this node is slow itself', () => {
    const round = new Round(1)
    for (let time = 0; time < 3; time++) round.watch.health.worsen(0)
    const steady = Math.floor(10_000 / (150 * 4))
    round.watch.health.improve = () => undefined
    round.start()
    const count = round.pass(10_000).get(round.watch.subject) ?? 0
    // the random probes of the only other node come on top, one a second
    expect(count).toBeGreaterThan(steady - 4)
    expect(count).toBeLessThan(steady + 14)
  })

  test('pings each subject about every 600 ms, and others at random about every second together', () => {
    const round = new Round(30)
    round.start()
    const counts = round.pass(20_000)
    const { successors } = round.rings
    let others = 0
    for (const [node, count] of counts) {
      if (!successors.has(node as NodeId)) others += count
      else expect(count).toBeGreaterThan(26)
      if (successors.has(node as NodeId)) expect(count).toBeLessThan(44)
    }
    expect(others).toBeGreaterThan(10)
    expect(others).toBeLessThan(28)
  })

  test('watches the new successor, and no longer the one that left', () => {
    const round = new Round(6)
    round.start()
    round.pass(1000)
    const [gone] = round.rings.successors
    if (gone === undefined) throw new Error('no subject')
    const name =
      round.watch.subject === gone ? 'subject' : `relay ${round.watch.relays.indexOf(gone)}`
    const { membership } = round.watch.stand.ground
    membership.announce(announce(notaryOf(name), { incarnation: 2, isLeaving: true }))
    round.rings.note(gone)
    round.watch.stand.call(() => round.schedule.refresh())
    const counts = round.pass(5000)
    expect(counts.get(gone) ?? 0).toBe(0)
    for (const node of round.rings.successors) expect(counts.get(node)).toBeGreaterThan(5)
  })

  test('knocks at a dead node now and then, and probes it no more', () => {
    const round = new Round(3)
    const { membership } = round.watch.stand.ground
    membership.accuse(accuse(notaryOf('relay 0'), round.watch.subject), 0)
    membership.declareDead(round.watch.subject)
    round.rings.note(round.watch.subject)
    round.start()
    const { stand, subject } = round.watch
    stand.pass(20_000)
    const knocks = stand.take('ping').filter(({ to }) => to === subject)
    expect(knocks.length).toBeGreaterThan(6)
    expect(knocks.length).toBeLessThan(15)
    expect(round.watch.accused.map(({ node }) => node)).not.toContain(subject)
  })
})
