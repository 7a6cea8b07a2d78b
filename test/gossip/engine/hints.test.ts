import { describe, expect, test } from 'vitest'
import { HINT_REST_MS, Hints } from '../../../src/gossip/engine/hints.ts'
import { accuse, nodeOf, notaryOf } from './nodes.ts'
import { Stand } from './stand.ts'

function open(): { stand: Stand; hints: Hints } {
  const stand = new Stand('self')
  stand.meet('a', 'b', 'doubted')
  stand.ground.membership.accuse(accuse(notaryOf('a'), nodeOf('doubted')), 0)
  return { stand, hints: new Hints(stand.ground) }
}

describe('a hint', () => {
  test('goes in a datagram of the same call', () => {
    const { stand, hints } = open()
    stand.call(() => hints.send(nodeOf('a')))
    expect(stand.sent).toEqual([
      { atMs: 0, to: nodeOf('a'), channel: 'datagram', message: { kind: 'hint' } },
    ])
  })

  test.for(['doubted', 'stranger', 'self'])('does not go to: %s', (name) => {
    const { stand, hints } = open()
    stand.call(() => hints.send(nodeOf(name)))
    stand.pass(1000)
    expect(stand.sent).toEqual([])
  })

  test('comes again once after the rest, however many were wanted', () => {
    const { stand, hints } = open()
    for (let hint = 0; hint < 10; hint++) stand.call(() => hints.send(nodeOf('a')))
    expect(stand.take('hint')).toHaveLength(1)
    stand.pass(HINT_REST_MS)
    expect(stand.take('hint').map(({ atMs }) => atMs)).toEqual([HINT_REST_MS])
    stand.pass(1000)
    expect(stand.take('hint')).toEqual([])
    expect(stand.ground.timers.nextDueMs).toBe(Number.POSITIVE_INFINITY)
  })

  test('to one node does not wait for another', () => {
    const { stand, hints } = open()
    stand.call(() => hints.send(nodeOf('a')))
    stand.call(() => hints.send(nodeOf('b')))
    expect(stand.sent.map(({ to }) => to)).toEqual([nodeOf('a'), nodeOf('b')])
  })

  test.for(['b', 'doubted', 'stranger', 'self'])(
    'that an agent is gone goes over the stream, to living members: %s',
    (name) => {
      const { stand, hints } = open()
      stand.call(() => hints.tellGone(nodeOf(name), 'a-S1'))
      const isTold = name === 'b'
      const message = { kind: 'agent-gone', agent: 'a-S1' }
      expect(stand.sent).toMatchObject(
        isTold ? [{ to: nodeOf('b'), channel: 'stream', message }] : [],
      )
    },
  )

  test('does not carry an id that is none', () => {
    const { stand, hints } = open()
    for (const agent of ['', 'a b', '\u001b[2J', 'x'.repeat(256)]) {
      stand.call(() => hints.tellGone(nodeOf('b'), agent))
    }
    expect(stand.sent).toEqual([])
  })

  test('that its agent is gone is an event when a member sends it, and refused from a stranger', () => {
    const { stand, hints } = open()
    const message = { kind: 'agent-gone', agent: 'a-S1' } as const
    for (const from of ['a', 'stranger']) {
      stand.call(() => hints.onAgentGone(nodeOf(from), message))
    }
    expect(stand.takeEvents()).toEqual([
      { kind: 'agent-gone', from: nodeOf('a'), agent: 'a-S1' },
      {
        kind: 'rejected',
        from: nodeOf('stranger'),
        reason: 'unknown-node',
        message: 'agent-gone',
      },
    ])
  })

  test('is an event when a member sends it, and refused from a stranger', () => {
    const { stand, hints } = open()
    stand.call(() => hints.onHint(nodeOf('a')))
    stand.call(() => hints.onHint(nodeOf('stranger')))
    const from = nodeOf('stranger')
    expect(stand.takeEvents()).toEqual([
      { kind: 'hinted', from: nodeOf('a') },
      { kind: 'rejected', from, reason: 'unknown-node', message: 'hint' },
    ])
  })
})
