import { describe, expect, test } from 'vitest'
import { accuse, nodeOf, notaryOf } from '../nodes.ts'
import { Watch } from '../watch.ts'

const ROUND_MS = 100

describe('a probe', () => {
  test('begins with a ping to the subject alone', () => {
    const watch = new Watch(5)
    watch.probe()
    expect(watch.stand.sent).toMatchObject([
      { to: watch.subject, channel: 'datagram', message: { kind: 'ping' } },
    ])
  })

  test('is not begun twice', () => {
    const watch = new Watch(5)
    watch.probe()
    watch.probe()
    expect(watch.stand.take('ping')).toHaveLength(1)
  })

  test('of a stranger, or of this node itself, is none', () => {
    const watch = new Watch(1)
    watch.stand.call(() => watch.prober.probe(nodeOf('stranger')))
    watch.stand.call(() => watch.prober.probe(watch.stand.ground.self))
    watch.stand.pass(5000)
    expect(watch.stand.sent).toEqual([])
    expect(watch.accused).toEqual([])
  })

  test('pings again and asks four relays, but never the subject, in each later round', () => {
    const watch = new Watch(9)
    watch.probe()
    watch.stand.sent.splice(0)
    watch.stand.pass(ROUND_MS)
    expect(watch.stand.take('ping').map(({ to }) => to)).toEqual([watch.subject])
    const requests = watch.stand.take('ping-request')
    const asked = new Set(requests.map(({ to }) => to))
    expect(asked.size).toBe(4)
    for (const relay of asked) expect(watch.relays).toContain(relay)
    for (const { message } of requests) expect(message.subject).toBe(watch.subject)
  })

  // a silence counts 3.91, a relay's 3.22; at 23 there is enough
  test.each([
    { relays: 0, mood: 'silent', rounds: 6 },
    { relays: 1, mood: 'unanswered', rounds: 4 },
    { relays: 1, mood: 'silent', rounds: 4 },
    { relays: 2, mood: 'unanswered', rounds: 3 },
    { relays: 4, mood: 'unanswered', rounds: 3 },
    { relays: 4, mood: 'silent', rounds: 3 },
    { relays: 9, mood: 'unanswered', rounds: 3 },
  ] as const)(
    'with $relays relays, $mood, accuses after $rounds rounds',
    ({ relays, mood, rounds }) => {
      const watch = new Watch(relays)
      watch.probe()
      watch.pass(rounds * ROUND_MS - 1, mood)
      expect(watch.accused).toEqual([])
      watch.pass(1, mood)
      expect(watch.accused).toEqual([{ node: watch.subject, atMs: rounds * ROUND_MS }])
      expect(watch.stand.takeEvents()).toContainEqual({ kind: 'probe-missed', node: watch.subject })
      expect(watch.prober.openCount).toBe(0)
      watch.pass(1000, mood)
      expect(watch.accused).toHaveLength(1)
    },
  )

  test('takes no longer after a subject was cut off', () => {
    const watch = new Watch(1)
    const { membership, turn } = watch.stand.ground
    watch.stand.call(() =>
      membership.accuse(accuse(notaryOf('relay 0'), watch.subject), turn.nowMs),
    )
    for (let cut = 0; cut < 60; cut++) {
      watch.probe()
      watch.pass(2 * ROUND_MS + 1, 'unanswered')
      watch.pass(ROUND_MS, 'answered')
    }
    const sinceMs = watch.stand.nowMs
    watch.accused.splice(0)
    watch.probe()
    watch.pass(20 * ROUND_MS, 'unanswered')
    expect(watch.accused).toEqual([{ node: watch.subject, atMs: sinceMs + 4 * ROUND_MS }])
  })

  test('takes longer where silences say less', () => {
    const watch = new Watch(4)
    for (let lost = 0; lost < 60; lost++) {
      watch.probe()
      watch.pass(ROUND_MS + 1, 'answered')
    }
    expect(watch.accused).toEqual([])
    watch.probe()
    watch.pass(2 * ROUND_MS, 'unanswered')
    expect(watch.accused).toEqual([])
    watch.pass(20 * ROUND_MS, 'unanswered')
    expect(watch.accused).toHaveLength(1)
  })

  test('ends with an answer, which gives the round-trip time', () => {
    const watch = new Watch(4)
    watch.probe()
    const [ping] = watch.stand.take('ping')
    watch.stand.pass(8)
    watch.answer(ping?.message.sequence ?? -1)
    expect(watch.prober.rttOf(watch.subject)).toBe(8)
    expect(watch.stand.takeEvents()).toContainEqual({
      kind: 'probe-answered',
      node: watch.subject,
      rttMs: 8,
    })
    expect(watch.prober.openCount).toBe(0)
    watch.pass(5000, 'silent')
    expect(watch.accused).toEqual([])
  })

  test('smooths the round-trip time: an eighth of each new one', () => {
    const watch = new Watch(0)
    for (const rttMs of [8, 16]) {
      watch.probe()
      const [ping] = watch.stand.take('ping')
      watch.stand.pass(rttMs)
      watch.answer(ping?.message.sequence ?? -1)
    }
    expect(watch.prober.rttOf(watch.subject)).toBe(9)
  })

  test('is saved by a late answer to any of its rounds', () => {
    const watch = new Watch(0)
    watch.probe()
    const [first] = watch.stand.take('ping')
    watch.stand.pass(5.5 * ROUND_MS)
    watch.answer(first?.message.sequence ?? -1)
    watch.stand.pass(5000)
    expect(watch.accused).toEqual([])
  })

  test('is saved by a relay that got an answer', () => {
    const watch = new Watch(4)
    watch.probe()
    watch.pass(5000, 'answered')
    expect(watch.accused).toEqual([])
    expect(watch.prober.openCount).toBe(0)
  })

  test.each(['another node', 'a sequence of no ping', 'a relay in place of the subject'] as const)(
    'is not saved by %s',
    (who) => {
      const watch = new Watch(1)
      watch.probe()
      const [ping] = watch.stand.take('ping')
      const sequence = ping?.message.sequence ?? -1
      if (who === 'another node') watch.answer(sequence, watch.relays[0])
      if (who === 'a sequence of no ping') watch.answer(sequence + 1)
      watch.stand.pass(ROUND_MS)
      const [request] = watch.stand.take('ping-request')
      if (who === 'a relay in place of the subject') {
        watch.answer(request?.message.sequence ?? -1, watch.relays[0])
      }
      watch.pass(5000, 'silent')
      expect(watch.accused).toHaveLength(1)
    },
  )

  test('takes no report for an answer that somebody else gives, or to a direct ping', () => {
    const watch = new Watch(2)
    watch.probe()
    const [ping] = watch.stand.take('ping')
    const report = (sequence: number, from = watch.subject) =>
      watch.stand.call(() =>
        watch.prober.onReport(from, { kind: 'ping-report', sequence, isAnswered: true }),
      )
    report(ping?.message.sequence ?? -1)
    watch.stand.pass(ROUND_MS)
    for (const { message } of watch.stand.take('ping-request')) report(message.sequence)
    watch.pass(5000, 'silent')
    expect(watch.accused).toHaveLength(1)
  })

  test('rounds last three round-trip times, at most 500 ms', () => {
    for (const { rttMs, roundMs } of [
      { rttMs: 20, roundMs: 100 },
      { rttMs: 50, roundMs: 150 },
      { rttMs: 400, roundMs: 500 },
    ]) {
      const watch = new Watch(0)
      watch.probe()
      const [first] = watch.stand.take('ping')
      watch.stand.pass(rttMs)
      watch.answer(first?.message.sequence ?? -1)
      watch.stand.sent.splice(0)
      watch.probe()
      const beganMs = watch.stand.nowMs
      watch.stand.pass(1000)
      expect(
        watch.stand
          .take('ping')
          .map(({ atMs }) => atMs - beganMs)
          .slice(0, 2),
      ).toEqual([0, roundMs])
    }
  })

  test('rounds last longer while this node is slow itself', () => {
    const watch = new Watch(0)
    watch.health.worsen(0)
    watch.health.worsen(0)
    watch.probe()
    watch.stand.pass(1000)
    expect(watch.stand.take('ping').map(({ atMs }) => atMs)).toEqual([0, 300, 600, 900])
  })

  test('judges nothing on a late tick: answers may be waiting to be read', () => {
    const watch = new Watch(0)
    watch.probe()
    watch.stand.pass(5.5 * ROUND_MS)
    watch.stand.stall(1000)
    expect(watch.accused).toEqual([])
    watch.stand.pass(ROUND_MS - 1)
    expect(watch.accused).toEqual([])
    watch.stand.pass(1)
    expect(watch.accused).toHaveLength(1)
  })

  test('judges on a tick that is a little late', () => {
    const watch = new Watch(0)
    watch.probe()
    watch.stand.pass(5.5 * ROUND_MS)
    watch.stand.stall(ROUND_MS)
    expect(watch.accused).toHaveLength(1)
  })

  test('doubts this node itself when no relay ever reports, and trusts it again with answers', () => {
    const watch = new Watch(4)
    watch.probe()
    watch.pass(1000, 'silent')
    expect(watch.health.score).toBe(1)
    watch.stand.pass(1000)
    watch.stand.sent.splice(0)
    watch.probe()
    const [ping] = watch.stand.take('ping')
    watch.answer(ping?.message.sequence ?? -1)
    expect(watch.health.score).toBe(0)
  })

  test.each([
    { relays: 4, mood: 'unanswered' },
    { relays: 0, mood: 'silent' },
  ] as const)('does not doubt this node itself with $relays relays, $mood', ({ relays, mood }) => {
    const watch = new Watch(relays)
    watch.probe()
    watch.pass(1000, mood)
    expect(watch.accused).toHaveLength(1)
    expect(watch.health.score).toBe(0)
  })

  test('ends when its subject is forgotten', () => {
    const watch = new Watch(2)
    watch.probe()
    watch.stand.pass(ROUND_MS)
    watch.stand.call(() => watch.prober.drop(watch.subject))
    expect(watch.prober.openCount).toBe(0)
    watch.pass(5000, 'silent')
    expect(watch.accused).toEqual([])
  })

  test('tells the suspect of the doubt, and takes news along', () => {
    const watch = new Watch(2)
    const doubt = accuse(notaryOf('relay 0'), watch.subject)
    watch.stand.ground.membership.accuse(doubt, 0)
    watch.news = [{ kind: 'have', entries: [] }]
    watch.probe()
    expect(watch.stand.sent.map(({ message }) => message.kind)).toEqual([
      'ping',
      'accusation',
      'have',
    ])
  })

  test('that is only a knock does not care for the answer', () => {
    const watch = new Watch(2)
    watch.stand.call(() => watch.prober.knock(watch.subject))
    expect(watch.stand.take('ping')).toHaveLength(1)
    watch.pass(5000, 'silent')
    expect(watch.accused).toEqual([])
  })
})
