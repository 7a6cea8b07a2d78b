/** Connections between hosts: in order, nothing lost unless they break, and then the sender hears. */
import type { Destination } from '../../src/gossip/engine/effects.ts'
import type { Message } from '../../src/gossip/engine/messages.ts'
import type { NodeId } from '../../src/model/node-id.ts'
import type { Host } from './host.ts'
import type { Network } from './network.ts'

/** A packet or frame under way. */
export interface Packet {
  readonly from: Host
  readonly fromNode: NodeId
  readonly fromLife: number
  readonly to: Host
  readonly messages: readonly Message[]
  /** Of a stream: the connection, and whom the sender meant. */
  readonly stream: Stream | undefined
  readonly destination: Destination
}

/** One direction of one connection. */
export interface Stream {
  readonly key: number
  readonly toLife: number
  lastArrivalMs: number
  isBroken: boolean
}

/** An idle connection is closed after this long. */
const IDLE_MS = 10_000

/** What became of a frame. */
export type Arrival = { readonly kind: 'arrives' } | { readonly kind: 'broken'; afterMs?: number }

/** All connections. */
export class Streams {
  readonly #network: Network
  readonly #streams = new Map<number, Stream>()

  constructor(network: Network) {
    this.#network = network
  }

  /** The connection for a frame and when the frame is there. */
  send(from: Host, to: Host, route: { sizeBytes: number; nowMs: number }): [Stream, number] {
    const { sizeBytes, nowMs } = route
    const key = from.index * 65_536 + to.index
    let stream = this.#streams.get(key)
    let connectMs = 0
    if (stream === undefined || stream.isBroken || nowMs - stream.lastArrivalMs > IDLE_MS) {
      stream = { key, toLife: to.life, lastArrivalMs: nowMs, isBroken: false }
      this.#streams.set(key, stream)
      connectMs = 1.5 * (this.#network.baseDelayMs(from, to) + this.#network.baseDelayMs(to, from))
    }
    const delay = connectMs + this.#network.streamDelayMs(from, to, sizeBytes)
    stream.lastArrivalMs = Math.max(stream.lastArrivalMs, nowMs + delay)
    return [stream, stream.lastArrivalMs]
  }

  /** Whether a frame that is due arrives; otherwise when its sender hears of it, if it was the first. */
  arrive({ from, to, stream }: Packet): Arrival {
    if (stream === undefined) return { kind: 'arrives' }
    if (stream.isBroken) return { kind: 'broken' }
    const isCut = this.#network.isCut(from, to) || this.#network.isCut(to, from)
    if (!isCut && to.isUp && to.life === stream.toLife) return { kind: 'arrives' }
    stream.isBroken = true
    this.#streams.delete(stream.key)
    const { streamTimeoutMs } = this.#network.settings
    return {
      kind: 'broken',
      afterMs: isCut ? streamTimeoutMs : this.#network.baseDelayMs(to, from),
    }
  }
}
