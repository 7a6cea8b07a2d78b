/** Transports on real sockets of the loopback, and what they did. */
import { systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { seededRandom } from '../../../src/base/random.ts'
import type { Channel, Destination } from '../../../src/gossip/engine/effects.ts'
import type { Delta, Message, Ping } from '../../../src/gossip/engine/messages.ts'
import { type ClusterKey, clusterKey, keySet } from '../../../src/gossip/transport/key-ring.ts'
import {
  openTransport,
  type Transport,
  type TransportOptions,
} from '../../../src/gossip/transport/transport.ts'
import type { Endpoint } from '../../../src/model/endpoint.ts'
import type { Ip } from '../../../src/model/ip.ts'
import type { NodeId } from '../../../src/model/node-id.ts'

export const LOOPBACK = '127.0.0.1' as Ip
export const KEY: ClusterKey = clusterKey(Buffer.alloc(32, 1))
export const OTHER_KEY: ClusterKey = clusterKey(Buffer.alloc(32, 2))

/** What a transport handed on. */
export interface Received {
  readonly from: NodeId
  readonly endpoint: Endpoint
  readonly messages: readonly Message[]
  readonly channel: Channel
}

/** A transport and everything that it told. */
export interface RunningTransport extends Transport {
  readonly node: NodeId
  readonly received: readonly Received[]
  readonly unreachable: readonly Destination[]
  /** How often each reason was given. */
  readonly rejected: ReadonlyMap<string, number>
  readonly dropped: ReadonlyMap<string, number>
  /** Sequences of the pings that came, in order. */
  sequences(channel?: Channel): readonly number[]
  /** To this transport, by its node id. */
  readonly destination: Destination
}

const open: Transport[] = []

/** Opens a transport that {@link closeAll} closes. */
export async function startTransport(
  node: number,
  choice: Partial<TransportOptions> = {},
): Promise<RunningTransport> {
  const received: Received[] = []
  const unreachable: Destination[] = []
  const rejected = new Map<string, number>()
  const dropped = new Map<string, number>()
  const id = nodeId(node)
  const transport = await openTransport({
    listen: { address: LOOPBACK, port: 0 },
    node: id,
    clusterId: 'blue',
    keys: keySet([KEY], KEY),
    clock: systemClock,
    random: seededRandom(node),
    log: silentLog,
    datagramBytes: 1400,
    onReceived: (packet) => received.push(packet),
    onUnreachable: (to) => unreachable.push(to),
    events: {
      rejected: (reason) => count(rejected, reason),
      dropped: (reason) => count(dropped, reason),
      sent: () => undefined,
      received: () => undefined,
    },
    ...choice,
  })
  open.push(transport)
  return {
    endpoint: transport.endpoint,
    send: (...parts) => transport.send(...parts),
    close: () => transport.close(),
    node: id,
    received,
    unreachable,
    rejected,
    dropped,
    sequences: (channel) =>
      received
        .filter((packet) => channel === undefined || packet.channel === channel)
        .flatMap(({ messages }) => messages)
        .map((message) => (message.kind === 'ping' ? message.sequence : -1)),
    destination: { node: id, endpoint: transport.endpoint },
  }
}

/** Closes what {@link startTransport} opened, also when it was closed before. */
export async function closeAll(): Promise<void> {
  await Promise.allSettled(open.splice(0).map((transport) => transport.close()))
}

export function nodeId(node: number): NodeId {
  return node.toString(16).padStart(32, '0') as NodeId
}

export function ping(sequence: number): Ping {
  return { kind: 'ping', sequence, digest: { high: 1, low: 2 } }
}

/** A message of about so many bytes. */
export function delta(bytes: number): Delta {
  const head = {
    kind: 'head',
    node: nodeId(1),
    version: 2,
    floor: 1,
    bucketBits: 0,
    digest: new Uint8Array(32),
    signature: new Uint8Array(64),
  } as const
  const record = { kind: 1, schema: 1, key: 'web', version: 2, isDeleted: false }
  const records = [{ ...record, value: new Uint8Array(bytes).fill(7) }]
  return { kind: 'delta', head, from: 1, through: 2, ageMs: 0, records }
}

/** Waits until it holds. */
export async function until(condition: () => boolean, what = 'the condition'): Promise<void> {
  const deadlineMs = performance.now() + 8000
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(`${what} did not come true`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}
