import type { Socket } from 'node:dgram'
import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { seededRandom } from '../../../src/base/random.ts'
import {
  DatagramChannel,
  SEND_QUEUE_LIMIT,
} from '../../../src/gossip/transport/datagram-channel.ts'
import { keySet } from '../../../src/gossip/transport/key-ring.ts'
import { Sealer } from '../../../src/gossip/transport/seal.ts'
import { KEY, LOOPBACK, nodeId } from './running-transport.ts'

/** A socket that the kernel takes nothing from: no loopback is ever full. */
class FullSocket extends EventEmitter {
  readonly sent: Uint8Array[] = []

  getSendQueueCount(): number {
    return this.sent.length
  }

  send(packet: Uint8Array): void {
    this.sent.push(packet)
  }
}

test('datagrams beyond the queue of a full socket are dropped and counted', () => {
  const socket = new FullSocket()
  const dropped: string[] = []
  const node = nodeId(1)
  const channel = new DatagramChannel(socket as unknown as Socket, {
    node,
    keys: keySet([KEY], KEY),
    sealer: new Sealer({ clusterId: 'blue', node, port: 1 }),
    clock: systemClock,
    random: seededRandom(1),
    listen: { address: LOOPBACK, port: 1 },
    challenge: () => Buffer.alloc(0),
    deliver: () => undefined,
    onRejected: () => undefined,
    onDropped: (reason) => dropped.push(reason),
    onUnreachable: () => undefined,
  })
  const to = { endpoint: { address: LOOPBACK, port: 2 } }
  for (let count = 0; count < SEND_QUEUE_LIMIT + 10; count++) channel.send(to, Buffer.alloc(8))
  expect(socket.sent).toHaveLength(SEND_QUEUE_LIMIT)
  expect(dropped).toEqual(Array.from({ length: 10 }, () => 'queue-full'))
  socket.sent.pop()
  channel.send(to, Buffer.alloc(8))
  expect(dropped).toHaveLength(10)
})
