import { beforeEach, describe, expect, test } from 'vitest'
import { writeChallenge, writeResponse } from '../../../src/gossip/transport/challenge.ts'
import { type ClusterKey, keySet } from '../../../src/gossip/transport/key-ring.ts'
import { IDLE_MS, MAX_UNPROVEN } from '../../../src/gossip/transport/received-sessions.ts'
import { Reception, type Verdict } from '../../../src/gossip/transport/reception.ts'
import { deriveSubkey, Sealer } from '../../../src/gossip/transport/seal.ts'
import { SendingSession } from '../../../src/gossip/transport/sending-session.ts'
import type { NodeId } from '../../../src/model/node-id.ts'
import { KEY, LOOPBACK, nodeId, OTHER_KEY } from './running-transport.ts'

const RANDOM = Buffer.alloc(16, 9)
const SELF = nodeId(1)
const PEER = nodeId(2)

let reception: Reception
let nowMs = 0

beforeEach(() => {
  nowMs = 0
  reception = newReception()
})

function newReception(): Reception {
  const sealer = new Sealer({ clusterId: 'blue', node: SELF, port: 1 })
  return new Reception({ node: SELF, keys: keySet([KEY], KEY), sealer, draw: () => RANDOM })
}

function sessionOf(node: NodeId, key: ClusterKey = KEY): SendingSession {
  return new SendingSession(key, new Sealer({ clusterId: 'blue', node, port: 7 }), nowMs)
}

function say(session: SendingSession, text: string): Buffer {
  return session.seal('messages', Buffer.from(text), nowMs)
}

function respond(session: SendingSession, random: Buffer = RANDOM): Buffer {
  const response = { random, freshFrom: session.freshFrom(nowMs) }
  return session.seal('response', writeResponse(response), nowMs)
}

function receive(packet: Buffer): Verdict {
  return reception.receive(packet, LOOPBACK, nowMs)
}

/** What came through. */
function textsOf(verdict: Verdict): readonly string[] | string {
  if (verdict.kind === 'deliver') return verdict.packets.map(({ opened }) => String(opened.content))
  return verdict.kind === 'rejected' ? verdict.reason : verdict.kind
}

function prove(session: SendingSession): void {
  receive(say(session, 'first'))
  expect(textsOf(receive(respond(session)))).toEqual(['first'])
}

describe('a session', () => {
  test('is challenged first, and believed with what waited once it answered', () => {
    const session = sessionOf(PEER)
    const verdict = receive(say(session, 'a'))
    expect(verdict).toMatchObject({
      kind: 'challenge',
      to: { address: LOOPBACK, port: 7 },
      challenge: { random: RANDOM, session: Buffer.from(session.id) },
    })
    expect(textsOf(receive(say(session, 'b')))).toBe('nothing')
    expect(textsOf(receive(respond(session)))).toEqual(['a', 'b'])
    expect(textsOf(receive(say(session, 'c')))).toEqual(['c'])
  })

  test('is challenged again while the answer does not come', () => {
    const session = sessionOf(PEER)
    receive(say(session, 'a'))
    nowMs = 99
    expect(textsOf(receive(say(session, 'b')))).toBe('nothing')
    nowMs = 101
    expect(textsOf(receive(say(session, 'c')))).toBe('challenge')
  })

  test('is not proven by other bytes, nor by another session', () => {
    const session = sessionOf(PEER)
    receive(say(session, 'a'))
    expect(textsOf(receive(respond(session, Buffer.alloc(16))))).toBe('stray')
    expect(textsOf(receive(respond(sessionOf(PEER))))).toBe('stray')
    expect(textsOf(receive(say(session, 'b')))).toBe('nothing')
  })

  test('lets sixteen packets wait for two seconds', () => {
    const session = sessionOf(PEER)
    const verdicts = Array.from({ length: 17 }, (_, n) => textsOf(receive(say(session, `${n}`))))
    expect(verdicts[15]).toBe('nothing')
    expect(verdicts[16]).toBe('overflow')
    expect(reception.expire(1999)).toBe(0)
    expect(reception.expire(2000)).toBe(16)
    nowMs = 2000
    expect(textsOf(receive(respond(session)))).toBe('stray')
  })

  test('takes each packet once, proven or not', () => {
    const session = sessionOf(PEER)
    const first = say(session, 'a')
    receive(first)
    expect(textsOf(receive(first))).toBe('replayed')
    expect(textsOf(receive(respond(session)))).toEqual(['a'])
    const second = say(session, 'b')
    receive(second)
    expect(textsOf(receive(second))).toBe('replayed')
    expect(textsOf(receive(first))).toBe('replayed')
  })

  test('takes packets out of order', () => {
    const session = sessionOf(PEER)
    prove(session)
    const packets = ['a', 'b', 'c'].map((text) => say(session, text))
    expect(packets.toReversed().map((packet) => textsOf(receive(packet)))).toEqual([
      ['c'],
      ['b'],
      ['a'],
    ])
  })

  test('of a node that lives shows a receiver that restarted nothing that is old', () => {
    const session = sessionOf(PEER)
    const old = say(session, 'old')
    for (nowMs = 0; nowMs <= 8000; nowMs += 1000) say(session, 'to the receiver before')
    reception = newReception()
    const fresh = say(session, 'fresh')
    expect(textsOf(receive(old))).toBe('challenge')
    receive(fresh)
    expect(textsOf(receive(respond(session)))).toEqual(['fresh'])
    expect(textsOf(receive(old))).toBe('replayed')
    expect(reception.expire(nowMs)).toBe(1)
  })

  test('belongs to one node', () => {
    const session = sessionOf(PEER)
    prove(session)
    const sealer = new Sealer({ clusterId: 'blue', node: nodeId(3), port: 7 })
    const packet = sealer.seal({
      type: 'messages',
      key: KEY,
      subkey: deriveSubkey(KEY, session.id),
      session: session.id,
      counter: 100,
      content: Buffer.from('x'),
    })
    expect(textsOf(receive(packet))).toBe('forged')
  })

  test('proves itself anew after it was idle', () => {
    const session = sessionOf(PEER)
    prove(session)
    nowMs = IDLE_MS - 1
    expect(textsOf(receive(say(session, 'a')))).toEqual(['a'])
    nowMs += IDLE_MS
    expect(textsOf(receive(say(session, 'b')))).toBe('challenge')
  })

  test('is dropped for newer ones of the same node, but not for those without proof', () => {
    const [first, second, third] = [sessionOf(PEER), sessionOf(PEER), sessionOf(PEER)]
    prove(first)
    nowMs = 1
    prove(second)
    receive(say(third, 'a'))
    expect(textsOf(receive(say(first, 'b')))).toEqual(['b'])
    nowMs = 2
    expect(textsOf(receive(say(second, 'c')))).toEqual(['c'])
    expect(textsOf(receive(respond(third)))).toEqual(['a'])
    expect(textsOf(receive(say(first, 'd')))).toBe('challenge')
    expect(textsOf(receive(say(third, 'e')))).toEqual(['e'])
  })

  test('that is proven stays while recordings of many others are played', () => {
    const session = sessionOf(PEER)
    prove(session)
    for (let count = 0; count < 2 * MAX_UNPROVEN; count++)
      receive(say(sessionOf(nodeId(10 + count)), 'recorded'))
    expect(reception.expire(nowMs)).toBe(MAX_UNPROVEN)
    expect(textsOf(receive(say(session, 'a')))).toEqual(['a'])
  })
})

describe('a packet', () => {
  test('of this node is dropped, whatever its session', () => {
    expect(textsOf(receive(say(sessionOf(SELF), 'a')))).toBe('own-node')
  })

  test('with a key that is not in the ring is dropped unopened', () => {
    expect(textsOf(receive(say(sessionOf(PEER, OTHER_KEY), 'a')))).toBe('unknown-key')
  })

  test('that is cut or altered is dropped', () => {
    const session = sessionOf(PEER)
    prove(session)
    const packet = say(session, 'a')
    for (let length = 0; length < packet.length; length++)
      expect(textsOf(receive(packet.subarray(0, length)))).toMatch(/junk|forged/)
    const altered = Buffer.from(packet)
    altered[40] = (altered[40] ?? 0) ^ 1
    expect(textsOf(receive(altered))).toBe('forged')
    // What was forged does not use up the counter.
    expect(textsOf(receive(packet))).toEqual(['a'])
  })

  test('that opens a stream is none of a datagram', () => {
    expect(textsOf(receive(sessionOf(PEER).seal('open-stream', Buffer.alloc(0), 0)))).toBe('junk')
  })

  test('that asks for proof is handed on with who asks', () => {
    const challenge = { random: RANDOM, session: Buffer.alloc(16, 3) }
    const packet = sessionOf(PEER).seal('challenge', writeChallenge(challenge), 0)
    expect(receive(packet)).toEqual({ kind: 'asked', by: PEER, challenge })
    const short = sessionOf(PEER).seal('challenge', Buffer.alloc(31), 0)
    expect(textsOf(receive(short))).toBe('junk')
  })
})
