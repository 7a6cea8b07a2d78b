import { describe, expect, test } from 'vitest'
import { Relay } from '../../../../src/gossip/engine/detection/relay.ts'
import type { NodeId } from '../../../../src/model/node-id.ts'
import { nodeOf } from '../nodes.ts'
import { Stand } from '../stand.ts'

function open(): { stand: Stand; relay: Relay; requester: NodeId; subject: NodeId } {
  const stand = new Stand('self')
  const [requester, subject] = stand.meet('requester', 'subject')
  if (requester === undefined || subject === undefined) throw new Error('nodes')
  return { stand, relay: new Relay(stand.ground), requester, subject }
}

function request({ stand, relay, requester }: ReturnType<typeof open>, subject: NodeId): number {
  stand.call(() => relay.onRequest(requester, { kind: 'ping-request', sequence: 5, subject }))
  return stand.take('ping').at(-1)?.message.sequence ?? -1
}

function reports({ stand }: ReturnType<typeof open>): unknown[] {
  return stand.take('ping-report').map(({ to, message }) => ({ to, ...message }))
}

const DIGEST = { high: 0, low: 0 }

describe('a relay', () => {
  test('pings for another and reports the answer', () => {
    const at = open()
    const sequence = request(at, at.subject)
    expect(reports(at)).toEqual([])
    at.stand.call(() => at.relay.onAck(at.subject, { kind: 'ack', sequence, digest: DIGEST }))
    const report = { to: at.requester, kind: 'ping-report', sequence: 5, isAnswered: true }
    expect(reports(at)).toEqual([report])
    at.stand.pass(1000)
    expect(reports(at)).toEqual([])
  })

  test('reports a silence before the round of who asked is over', () => {
    const at = open()
    request(at, at.subject)
    at.stand.pass(79)
    expect(reports(at)).toEqual([])
    at.stand.pass(11)
    const report = { to: at.requester, kind: 'ping-report', sequence: 5, isAnswered: false }
    expect(reports(at)).toEqual([report])
  })

  test('takes only the subject for an answer', () => {
    const at = open()
    const sequence = request(at, at.subject)
    at.stand.call(() => at.relay.onAck(at.requester, { kind: 'ack', sequence, digest: DIGEST }))
    at.stand.call(() => at.relay.onAck(at.subject, { kind: 'ack', sequence: 5, digest: DIGEST }))
    expect(reports(at)).toEqual([])
  })

  test('reports a stranger as silent at once', () => {
    const at = open()
    expect(request(at, nodeOf('stranger'))).toBe(-1)
    expect(reports(at)).toMatchObject([{ isAnswered: false }])
  })

  test('pings for no more than a thousand at a time', () => {
    const at = open()
    for (let count = 0; count < 1024; count++) expect(request(at, at.subject)).not.toBe(-1)
    expect(request(at, at.subject)).toBe(-1)
    expect(reports(at)).toMatchObject([{ isAnswered: false }])
    at.stand.pass(100)
    expect(reports(at)).toHaveLength(1024)
    expect(request(at, at.subject)).not.toBe(-1)
  })
})
