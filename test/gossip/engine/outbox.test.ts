import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Destination, Effect } from '../../../src/gossip/engine/effects.ts'
import type { Message } from '../../../src/gossip/engine/messages.ts'
import { Outbox } from '../../../src/gossip/engine/outbox.ts'
import { ENGINE_DEFAULTS } from '../../../src/gossip/engine/settings.ts'
import { Timers } from '../../../src/gossip/engine/timers.ts'
import { messageSize } from '../../../src/gossip/wire/size.ts'
import { anyMessage } from '../wire/any-message.ts'
import { endpointOf, idOf } from './nodes.ts'

type Send = Extract<Effect, { kind: 'send' }>

const { datagramBytes, flushMs, partBytes } = ENGINE_DEFAULTS
const TO: Destination = { node: idOf('a'), endpoint: endpointOf(1) }
const OTHER: Destination = { node: idOf('b'), endpoint: endpointOf(2) }

/** An outbox, the time, and what leaves. */
class Post {
  nowMs = 0
  readonly timers: Timers = new Timers(() => this.nowMs)
  readonly outbox: Outbox = new Outbox(ENGINE_DEFAULTS, this.timers)

  flush(): Send[] {
    const sends: Send[] = []
    this.outbox.flush((effect) => {
      if (effect.kind === 'send') sends.push(effect)
    })
    return sends
  }

  /** Lets the patient ones go. */
  wait(ms: number): Send[] {
    this.nowMs += ms
    this.timers.fire()
    return this.flush()
  }
}

function ping(sequence: number): Message {
  return { kind: 'ping', sequence, digest: { high: 0, low: 0 } }
}

/** A message of this many entries, 24 bytes each. */
function have(entries: number): Message {
  const node = idOf('c')
  return { kind: 'have', entries: Array.from({ length: entries }, () => ({ node, version: 1 })) }
}

function bytesOf(messages: readonly Message[]): number {
  return messages.map(messageSize).reduce((sum, size) => sum + size, 0)
}

function expectPacked({ channel, messages }: Send): void {
  expect(messages.length).toBeGreaterThan(0)
  if (channel === 'datagram') expect(bytesOf(messages)).toBeLessThanOrEqual(datagramBytes)
  else if (messages.length > 1) expect(bytesOf(messages)).toBeLessThanOrEqual(partBytes)
}

describe('an outbox', () => {
  test('sends what is urgent in the same call', () => {
    const post = new Post()
    post.outbox.urgent(TO, ping(1))
    expect(post.flush()).toEqual([
      { kind: 'send', to: TO, channel: 'datagram', messages: [ping(1)] },
    ])
    expect(post.flush()).toEqual([])
  })

  test('lets what is patient wait for company, but no longer than that', () => {
    const post = new Post()
    post.outbox.patient(TO, ping(1))
    expect(post.flush()).toEqual([])
    expect(post.timers.nextDueMs).toBe(flushMs)
    post.nowMs = flushMs / 2
    post.outbox.patient(TO, ping(2))
    post.outbox.patient(OTHER, ping(3))
    expect(post.wait(flushMs / 2)).toEqual([
      { kind: 'send', to: TO, channel: 'datagram', messages: [ping(1), ping(2)] },
      { kind: 'send', to: OTHER, channel: 'datagram', messages: [ping(3)] },
    ])
    expect(post.timers.nextDueMs).toBe(Number.POSITIVE_INFINITY)
    post.outbox.patient(TO, ping(4))
    expect(post.wait(flushMs).flatMap(({ messages }) => messages)).toEqual([ping(4)])
  })

  test.each(['urgent', 'bulk'] as const)(
    'takes along what waits for a peer when something %s goes there',
    (way) => {
      const post = new Post()
      post.outbox.patient(TO, ping(1))
      post.outbox.patient(OTHER, ping(2))
      post.outbox[way](TO, ping(3))
      const sends = post.flush()
      expect(sends.every(({ to }) => to === TO)).toBe(true)
      expect(sends.flatMap(({ messages }) => messages)).toEqual(
        expect.arrayContaining([ping(1), ping(3)]),
      )
      expect(post.wait(flushMs).flatMap(({ messages }) => messages)).toEqual([ping(2)])
    },
  )

  test('sends bulk over the stream, in order', () => {
    const post = new Post()
    post.outbox.bulk(TO, have(1), have(2))
    post.outbox.bulk(TO, have(3))
    expect(post.flush()).toEqual([
      { kind: 'send', to: TO, channel: 'stream', messages: [have(1), have(2), have(3)] },
    ])
  })

  test('sends a message that no datagram holds over the stream', () => {
    const post = new Post()
    const least = Math.ceil(datagramBytes / 24)
    post.outbox.urgent(TO, have(least), ping(1))
    expect(post.flush().map(({ channel, messages }) => [channel, messages])).toEqual([
      ['datagram', [ping(1)]],
      ['stream', [have(least)]],
    ])
  })

  test('fills datagrams, up to eight; the rest of a burst goes over the stream', () => {
    const post = new Post()
    const burst = Array.from({ length: 8 }, () => have(50))
    expect(bytesOf(burst.slice(0, 2))).toBeGreaterThan(datagramBytes)
    post.outbox.urgent(TO, ...burst)
    expect(post.flush().map(({ channel }) => channel)).toEqual(burst.map(() => 'datagram'))
    post.outbox.urgent(TO, ...burst, have(50))
    const sends = post.flush()
    expect(sends.map(({ channel }) => channel)).toEqual(['datagram', 'stream'])
    expect(sends.map(({ messages }) => messages.length)).toEqual([1, 8])
  })

  test('fills a datagram to the last byte, and not beyond', () => {
    const post = new Post()
    const pair = (entries: number) => [have(entries), have(1)]
    const entries = Math.floor((datagramBytes - bytesOf(pair(0))) / 24)
    const exact = { ...ENGINE_DEFAULTS, datagramBytes: bytesOf(pair(entries)) }
    const packets = (bytes: number) => {
      const outbox = new Outbox({ ...exact, datagramBytes: bytes }, post.timers)
      outbox.urgent(TO, ...pair(entries))
      let count = 0
      outbox.flush(() => count++)
      return count
    }
    expect(packets(exact.datagramBytes)).toBe(1)
    expect(packets(exact.datagramBytes - 1)).toBe(2)
  })

  test('splits what goes over the stream in frames of a part', () => {
    const post = new Post()
    const big = have(Math.floor(partBytes / 24 / 2))
    post.outbox.bulk(TO, big, big, big)
    expect(post.flush().map(({ messages }) => messages.length)).toEqual([2, 1])
  })

  test('loses nothing, doubles nothing and never fills a datagram beyond its bytes', () => {
    const anyPosting = fc.record({
      way: fc.constantFrom('urgent' as const, 'patient' as const, 'bulk' as const),
      to: fc.constantFrom(TO, OTHER),
      message: anyMessage,
    })
    fc.assert(
      fc.property(fc.array(anyPosting, { maxLength: 60 }), (postings) => {
        const post = new Post()
        for (const { way, to, message } of postings) post.outbox[way](to, message)
        const sends = [...post.flush(), ...post.wait(flushMs)]
        for (const send of sends) expectPacked(send)
        for (const to of [TO, OTHER]) {
          const left = sends.filter((send) => send.to === to).flatMap(({ messages }) => messages)
          const posted = postings.filter((each) => each.to === to).map(({ message }) => message)
          expect(new Set(left)).toEqual(new Set(posted))
          expect(left.length).toBe(posted.length)
        }
      }),
    )
  })

  test('drops the oldest of what waits beyond its bound', () => {
    const post = new Post()
    const accusations = Array.from({ length: 4100 }, (_, sequence) => ping(sequence))
    for (const message of accusations) post.outbox.patient(TO, message)
    const left = post.wait(flushMs).flatMap(({ messages }) => messages)
    expect(left).toEqual(accusations.slice(4))
  })

  test('forgets what waits for a node that is gone', () => {
    const post = new Post()
    post.outbox.patient(TO, ping(1))
    post.outbox.patient(OTHER, ping(2))
    if (TO.node !== undefined) post.outbox.drop(TO.node)
    expect(post.wait(flushMs).map(({ to }) => to)).toEqual([OTHER])
  })

  test('keeps endpoints apart whose nodes are not known', () => {
    const post = new Post()
    post.outbox.urgent({ endpoint: endpointOf(1) }, ping(1))
    post.outbox.urgent({ endpoint: endpointOf(2) }, ping(2))
    post.outbox.urgent({ endpoint: endpointOf(1) }, ping(3))
    expect(post.flush().map(({ messages }) => messages)).toEqual([[ping(1), ping(3)], [ping(2)]])
  })
})
