import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Destination } from '../../../src/gossip/engine/effects.ts'
import { MAX_UNPROVEN_STREAMS_PER_ADDRESS } from '../../../src/gossip/transport/incoming-streams.ts'
import type { Endpoint } from '../../../src/model/endpoint.ts'
import {
  closeAll,
  delta,
  LOOPBACK,
  nodeId,
  ping,
  startTransport,
  until,
} from './running-transport.ts'
import { tapStreams } from './wiretap.ts'

vi.setConfig({ testTimeout: 20_000 })

const closing: (() => void)[] = []

afterEach(async () => {
  for (const close of closing.splice(0)) close()
  await closeAll()
})

/** A client that says what it likes. */
async function connectTo({ address, port }: Endpoint): Promise<Socket> {
  const socket = connect(port, address)
  socket.on('error', () => undefined)
  // Who does not read does not see the end.
  socket.resume()
  closing.push(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** A server that takes connections and does with them what it likes. */
async function serve(take: (socket: Socket) => void): Promise<Destination> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    closing.push(() => socket.destroy())
    take(socket)
  })
  server.listen(0, LOOPBACK)
  await once(server, 'listening')
  closing.push(() => server.close())
  const { port } = server.address() as AddressInfo
  return { node: nodeId(99), endpoint: { address: LOOPBACK, port } }
}

describe('a stream', () => {
  test('brings messages in their order, small and large', async () => {
    const [left, right] = [await startTransport(1), await startTransport(2)]
    left.send(right.destination, 'stream', [ping(1), delta(1_048_576), ping(2)])
    left.send(right.destination, 'stream', [ping(3)])
    await until(() => right.sequences().length === 4)
    expect(right.sequences('stream')).toEqual([1, -1, 2, 3])
    expect(right.received[0]).toMatchObject({ from: left.node, endpoint: left.endpoint })
    left.send(right.destination, 'stream', [delta(1_060_000)])
    expect(left.dropped.get('too-large')).toBe(1)
    expect([...right.rejected, ...left.unreachable]).toEqual([])
  })

  test('is one per peer', async () => {
    const [left, right] = [await startTransport(1), await startTransport(2)]
    const tap = await tapStreams(right.endpoint)
    closing.push(tap.close)
    const to = { node: right.node, endpoint: tap.endpoint }
    for (let sequence = 0; sequence < 20; sequence++) {
      left.send(to, 'stream', [ping(sequence)])
      await until(() => right.sequences().length === sequence + 1)
    }
    expect(tap.recorded()).toHaveLength(1)
  })

  test('that was recorded is not taken when it is said again', async () => {
    const [left, right] = [await startTransport(1), await startTransport(2)]
    const tap = await tapStreams(right.endpoint)
    closing.push(tap.close)
    left.send({ node: right.node, endpoint: tap.endpoint }, 'stream', [ping(1)])
    await until(() => right.sequences().length === 1)
    const [recording = Buffer.alloc(0)] = tap.recorded()
    const replay = await connectTo(right.endpoint)
    replay.write(recording)
    await once(replay, 'close')
    expect(right.rejected.get('stray')).toBe(1)
    expect(right.sequences()).toEqual([1])
  })

  test('to another node than was meant says nothing', async () => {
    const [left, right] = [await startTransport(1), await startTransport(2)]
    left.send({ node: nodeId(7), endpoint: right.endpoint }, 'stream', [ping(1)])
    await until(() => left.unreachable.length === 1)
    expect(left.unreachable[0]?.node).toBe(nodeId(7))
    expect(right.received).toEqual([])
  })

  test('that is altered is closed at that frame', async () => {
    const [left, right] = [await startTransport(1), await startTransport(2)]
    const relay = await serve((socket) => {
      const outgoing = connect(right.endpoint.port, right.endpoint.address)
      outgoing.on('error', () => undefined)
      closing.push(() => outgoing.destroy())
      outgoing.on('close', () => socket.destroy())
      let passed = 0
      socket.on('data', (chunk: Buffer) => {
        // After the opening and the response, in the sealed part of the first frame.
        for (let index = 0; index < chunk.length; index++)
          if (passed + index === 70 + 94 + 4 + 40) chunk[index] = (chunk[index] ?? 0) ^ 1
        passed += chunk.length
        outgoing.write(chunk)
      })
      outgoing.pipe(socket)
    })
    left.send({ node: right.node, endpoint: relay.endpoint }, 'stream', [ping(1), ping(2)])
    await until(() => right.rejected.get('forged') === 1)
    await until(() => left.unreachable.length === 1)
    expect(right.received).toEqual([])
  })

  test('that cannot be opened is said to be unreachable, and tried again later', async () => {
    const left = await startTransport(1)
    const gone = await startTransport(2)
    await gone.close()
    left.send(gone.destination, 'stream', [ping(1)])
    await until(() => left.unreachable.length === 1)
    expect(left.unreachable).toEqual([gone.destination])
    left.send(gone.destination, 'stream', [ping(2)])
    const back = await startTransport(2, { listen: gone.endpoint })
    await until(() => back.sequences().length === 1)
    expect(back.sequences()).toEqual([2])
  })

  test('breaks when the receiver restarts, and the next one works', async () => {
    const [left, right] = [await startTransport(1), await startTransport(2)]
    left.send(right.destination, 'stream', [ping(1)])
    await until(() => right.sequences().length === 1)
    await right.close()
    await until(() => left.unreachable.length === 1)
    const back = await startTransport(2, { listen: right.endpoint })
    left.send(right.destination, 'stream', [ping(2)])
    await until(() => back.sequences().length === 1)
  })

  test('to a peer that never proves itself is given up in a second', async () => {
    const left = await startTransport(1)
    const silent = await serve(() => undefined)
    const startMs = performance.now()
    left.send(silent, 'stream', [ping(1)])
    await until(() => left.unreachable.length === 1)
    expect(performance.now() - startMs).toBeGreaterThan(900)
    expect(performance.now() - startMs).toBeLessThan(4000)
  })

  test('to a peer that never reads drops the oldest and says so once', async () => {
    const [left, right] = [await startTransport(1), await startTransport(2)]
    const proven = Promise.withResolvers<Socket>()
    let isLate = false
    // Lets the proof through, then reads no more until it is told to.
    const lazy = await serve((socket) => {
      const outgoing = connect(right.endpoint.port, right.endpoint.address)
      outgoing.on('error', () => undefined)
      closing.push(() => outgoing.destroy())
      outgoing.pipe(socket)
      let passed = 0
      socket.on('data', (chunk: Buffer) => {
        passed += chunk.length
        outgoing.write(chunk)
        if (passed < 170 || isLate) return
        isLate = true
        socket.pause()
        proven.resolve(socket)
      })
    })
    const to = { node: right.node, endpoint: lazy.endpoint }
    left.send(to, 'stream', [ping(1)])
    await proven.promise
    for (let count = 0; count < 60; count++) left.send(to, 'stream', [delta(500_000)])
    await until(() => (left.dropped.get('queue-full') ?? 0) > 0)
    expect(left.unreachable).toEqual([to])
    // What is left is what fits, and the newest of it.
    left.send(to, 'stream', [ping(2)])
    ;(await proven.promise).resume()
    await until(() => right.sequences().includes(2))
    expect(right.received.length).toBeLessThan(55)
    expect(right.sequences()[0]).toBe(1)
    expect(right.sequences().at(-1)).toBe(2)
  })
})

describe('connections of strangers', () => {
  test.each([
    ['no frame of ours', Buffer.from('GET / HTTP/1.1\r\nHost: navstar\r\n\r\n'), 'too-large'],
    ['a huge frame', Buffer.from([0x7f, 0xff, 0xff, 0xff]), 'too-large'],
    ['an empty frame', Buffer.from([0, 0, 0, 0]), 'junk'],
    ['junk', Buffer.concat([Buffer.from([0, 0, 0, 100]), Buffer.alloc(100)]), 'junk'],
  ])('are closed at once for %s', async (_name, bytes, reason) => {
    const right = await startTransport(2)
    const socket = await connectTo(right.endpoint)
    socket.write(bytes)
    await once(socket, 'close')
    expect(right.rejected.get(reason)).toBe(1)
  })

  test('that say nothing, or little, are closed after two seconds', async () => {
    const right = await startTransport(2)
    const silent = await connectTo(right.endpoint)
    const slow = await connectTo(right.endpoint)
    slow.write(Buffer.from([0, 0]))
    await Promise.all([once(silent, 'close'), once(slow, 'close')])
    expect(right.rejected.get('timeout')).toBe(2)
  })

  test('do not keep members out, however many they are', async () => {
    const [left, right] = [await startTransport(1), await startTransport(2)]
    const strangers = await Promise.all(
      Array.from({ length: MAX_UNPROVEN_STREAMS_PER_ADDRESS + 24 }, () =>
        connectTo(right.endpoint),
      ),
    )
    await until(() => right.rejected.get('connection-limit') === 24)
    left.send(right.destination, 'stream', [ping(1)])
    await until(() => right.sequences().length === 1)
    expect(strangers.filter((socket) => !socket.destroyed).length).toBeLessThanOrEqual(
      MAX_UNPROVEN_STREAMS_PER_ADDRESS,
    )
  })
})
