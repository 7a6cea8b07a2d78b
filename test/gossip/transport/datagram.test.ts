import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { keySet } from '../../../src/gossip/transport/key-ring.ts'
import { deriveSubkey, Sealer } from '../../../src/gossip/transport/seal.ts'
import { SendingSession } from '../../../src/gossip/transport/sending-session.ts'
import type { Ip } from '../../../src/model/ip.ts'
import {
  closeAll,
  delta,
  KEY,
  LOOPBACK,
  nodeId,
  OTHER_KEY,
  ping,
  type RunningTransport,
  startTransport,
  until,
} from './running-transport.ts'
import { tapDatagrams, type Wiretap } from './wiretap.ts'

vi.setConfig({ testTimeout: 20_000 })

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

let tap: Wiretap<Buffer> | undefined

afterEach(async () => {
  tap?.close()
  tap = undefined
  await closeAll()
})

/** Two nodes; what the first says to the second is recorded. */
async function startTapped(): Promise<{
  readonly left: RunningTransport
  readonly right: RunningTransport
  readonly tap: Wiretap<Buffer>
  say(...sequences: readonly number[]): void
}> {
  const [left, right] = [await startTransport(1), await startTransport(2)]
  const tapped = await tapDatagrams(right.endpoint)
  tap = tapped
  const to = { node: right.node, endpoint: tapped.endpoint }
  const say = (...sequences: readonly number[]) => {
    for (const sequence of sequences) left.send(to, 'datagram', [ping(sequence)])
  }
  return { left, right, tap: tapped, say }
}

describe('datagrams', () => {
  test('go both ways, with the sender and where it listens', async () => {
    const [left, right] = [await startTransport(1), await startTransport(2)]
    left.send({ endpoint: right.endpoint }, 'datagram', [ping(1), ping(2)])
    right.send(left.destination, 'datagram', [ping(3)])
    await until(() => right.received.length === 1 && left.received.length === 1)
    expect(right.received[0]).toMatchObject({
      from: left.node,
      endpoint: left.endpoint,
      channel: 'datagram',
      messages: [ping(1), ping(2)],
    })
    expect(left.sequences('datagram')).toEqual([3])
    expect([...left.rejected, ...right.rejected]).toEqual([])
  })

  test('go over IPv6', async () => {
    const listen = { address: '::1' as Ip, port: 0 }
    const [left, right] = [await startTransport(1, { listen }), await startTransport(2, { listen })]
    left.send(right.destination, 'datagram', [ping(1)])
    left.send(right.destination, 'stream', [ping(2)])
    await until(() => right.sequences().length === 2)
    expect(right.received.map(({ endpoint }) => endpoint)).toEqual([left.endpoint, left.endpoint])
    left.send({ endpoint: { address: LOOPBACK, port: 9 } }, 'datagram', [ping(1)])
    expect(left.dropped.get('wrong-family')).toBe(1)
  })

  test('that are too large go over the stream', async () => {
    const [left, right] = [await startTransport(1), await startTransport(2)]
    left.send(right.destination, 'datagram', [delta(1100)])
    left.send(right.destination, 'datagram', [delta(1400)])
    await until(() => right.received.length === 2)
    expect(right.received.map(({ channel }) => channel).sort()).toEqual(['datagram', 'stream'])
  })

  test.each([
    ['another key', { keys: keySet([OTHER_KEY], OTHER_KEY) }, 'unknown-key'],
    ['another cluster id', { clusterId: 'green' }, 'forged'],
  ])('of a node with %s are not taken', async (_name, choice, reason) => {
    const [left, right] = [await startTransport(1, choice), await startTransport(2)]
    for (const channel of ['datagram', 'stream'] as const)
      left.send(right.destination, channel, [ping(1)])
    await until(() => right.rejected.get(reason) === 2 && left.unreachable.length === 1)
    expect(right.received).toEqual([])
  })

  test('are taken once, whenever they are said again', async () => {
    const { right, tap: tapped, say } = await startTapped()
    say(1)
    await until(() => right.sequences().length === 1)
    say(2, 3)
    await until(() => right.sequences().length === 3)
    const recorded = [...tapped.passed]
    for (const packet of recorded) tapped.say(packet)
    await until(() => right.rejected.get('replayed') === recorded.length)
    expect(right.sequences()).toEqual([1, 2, 3])
  })

  test('of a session that ended are not taken by a receiver that restarted', async () => {
    const { left, right, tap: tapped, say } = await startTapped()
    say(1)
    await until(() => right.sequences().length === 1)
    await Promise.all([left.close(), right.close()])
    const [again, later] = [await startTransport(1), await startTransport(2)]
    tapped.to = later.endpoint
    for (const packet of tapped.passed) tapped.say(packet)
    await until(() => later.rejected.get('unproven') === 1)
    again.send(later.destination, 'datagram', [ping(9)])
    await until(() => later.sequences().length === 1)
    expect(later.sequences()).toEqual([9])
  })

  test('go on when the receiver restarts', async () => {
    const { right, tap: tapped, say } = await startTapped()
    say(1)
    await until(() => right.sequences().length === 1)
    await right.close()
    const later = await startTransport(2)
    tapped.to = later.endpoint
    say(2, 3)
    await until(() => later.sequences().length === 2)
    expect(later.sequences()).toEqual([2, 3])
  })

  test('that are shown to another node are not taken there', async () => {
    const { left, right, tap: tapped, say } = await startTapped()
    const third = await startTransport(3)
    tapped.to = third.endpoint
    say(1)
    await until(() => left.rejected.get('stray') === 1)
    await until(() => third.rejected.get('unproven') === 1)
    expect([...right.received, ...third.received]).toEqual([])
  })

  test('with any bit changed, or cut, are dropped, and those after them taken', async () => {
    const { right, tap: tapped, say } = await startTapped()
    say(1)
    await until(() => right.sequences().length === 1)
    let bit = 0
    tapped.alter = (packet) => {
      const altered = Buffer.from(packet)
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      return altered
    }
    const rejections = () => [...right.rejected.values()].reduce((sum, count) => sum + count, 0)
    for (; bit < 32 * 8; bit += 5) {
      const before = rejections()
      say(100 + bit)
      await until(() => rejections() > before, `bit ${bit}`)
    }
    tapped.alter = (packet) => packet.subarray(0, -1)
    const before = rejections()
    say(500)
    await until(() => rejections() > before)
    tapped.alter = (packet) => packet
    say(600)
    await until(() => right.sequences().length === 2)
    expect(right.sequences()).toEqual([1, 600])
  })

  test('of this node that come back, and others in its name, are dropped', async () => {
    const node = await startTransport(1)
    const mirror = await tapDatagrams(node.endpoint)
    tap = mirror
    node.send({ endpoint: mirror.endpoint }, 'datagram', [ping(1)])
    await until(() => node.rejected.get('own-node') === 1)
    const impostor = new Sealer({ clusterId: 'blue', node: node.node, port: 7 })
    mirror.say(new SendingSession(KEY, impostor, 0).seal('messages', Buffer.alloc(30), 0))
    await until(() => node.rejected.get('own-node') === 2)
    expect(node.received).toEqual([])
  })

  test('with messages that cannot be read bring what can be, and are counted', async () => {
    const { right, tap: tapped, say } = await startTapped()
    say(1)
    await until(() => right.sequences().length === 1)
    const [packet = Buffer.alloc(0)] = tapped.passed
    const session = packet.subarray(8, 24)
    const sealer = new Sealer({ clusterId: 'blue', node: nodeId(1), port: 7 })
    const subkey = deriveSubkey(KEY, session)
    const content = Buffer.from([1, 0, 0, 0, 1, 0])
    const parts = { type: 'messages', key: KEY, subkey, session, counter: 900, content } as const
    tapped.say(sealer.seal(parts))
    await until(() => right.rejected.get('unreadable') === 1)
    expect(right.sequences()).toEqual([1])
  })
})

test('ten thousand junk packets neither grow the heap nor stop the others', async () => {
  const { right, tap: tapped, say } = await startTapped()
  say(1)
  await until(() => right.sequences().length === 1)
  const [genuine = Buffer.alloc(66)] = tapped.passed
  const flood = createSocket('udp4')
  flood.bind(0, LOOPBACK)
  await once(flood, 'listening')
  const kinds = [
    Buffer.alloc(100, 7),
    Buffer.concat([genuine.subarray(0, 4), Buffer.alloc(90)]),
    // A known key and an unknown session: the most expensive junk.
    Buffer.concat([genuine.subarray(0, 8), Buffer.alloc(90)]),
    // A known session.
    Buffer.concat([
      genuine.subarray(0, 24),
      Buffer.from([0, 0, 0, 0, 0, 1, 0, 0]),
      genuine.subarray(32),
    ]),
  ]
  const total = () => [...right.rejected.values()].reduce((sum, count) => sum + count, 0)
  const play = async (count: number) => {
    const target = total() + count
    for (let sent = 0; sent < count; ) {
      for (let burst = 0; burst < 100; burst++, sent++) {
        const packet = Buffer.from(kinds[sent % kinds.length] ?? genuine)
        // Another session each, where it matters.
        if (sent % kinds.length === 2) packet.writeUInt32BE(sent, 12)
        flood.send(packet, right.endpoint.port, LOOPBACK)
      }
      await until(() => total() >= target - count + sent - 20, 'the junk to be counted')
    }
  }
  await play(2000)
  collectGarbage()
  const beforeBytes = process.memoryUsage().heapUsed
  await play(10_000)
  collectGarbage()
  const grownBytes = process.memoryUsage().heapUsed - beforeBytes
  flood.close()
  expect(right.rejected.get('junk')).toBeGreaterThan(2000)
  expect(right.rejected.get('unknown-key')).toBeGreaterThan(2000)
  expect(right.rejected.get('forged')).toBeGreaterThan(5000)
  expect(grownBytes).toBeLessThan(1_000_000)
  say(2)
  await until(() => right.sequences().length === 2)
}, 30_000)
