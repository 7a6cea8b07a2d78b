/** Carries what engines send, over datagrams and streams. */
import type { Effect, EngineInput } from '../../src/gossip/engine/effects.ts'
import type { Alterer } from './byzantine.ts'
import type { Host } from './host.ts'
import type { Network } from './network.ts'
import type { Wire } from './seam.ts'
import { type Packet, Streams } from './streams.ts'
import type { Traffic } from './traffic.ts'

/** Sending as engines ask for it. */
export type SendEffect = Extract<Effect, { kind: 'send' }>

/** What the post works with. */
export interface PostOptions {
  readonly network: Network
  readonly traffic: Traffic
  readonly wire: Wire
  readonly alterer: Alterer | undefined
  nowMs(): number
  /** Has {@link Post.arrive} called at that time. */
  schedule(timeMs: number, packet: Packet): void
  /** Gives a host something to handle. */
  deliver(host: Host, input: EngineInput): void
  /** Does something later. */
  at(timeMs: number, act: () => void): void
}

/** Decides what becomes of each packet. */
export class Post {
  readonly #options: PostOptions
  readonly #streams: Streams

  constructor(options: PostOptions) {
    this.#options = options
    this.#streams = new Streams(options.network)
  }

  /** Takes a packet or frame from a host to another, or to an address where there is none. */
  send(from: Host, to: Host | undefined, effect: SendEffect): void {
    const { alterer, traffic, network } = this.#options
    const isAltered = from.isByzantine && alterer !== undefined
    const messages = isAltered ? alterer.alter(effect.messages) : effect.messages
    const sizeBytes = traffic.count(effect.channel, messages)
    if (to === undefined || from.notary === undefined) return
    const packet: Packet = {
      from,
      fromNode: from.notary.node,
      fromLife: from.life,
      to,
      messages,
      destination: effect.to,
      stream: undefined,
    }
    if (effect.channel === 'stream') this.#sendFrame(packet, sizeBytes)
    else if (!network.isCut(from, to)) this.#sendDatagram(packet)
  }

  #sendFrame(packet: Packet, sizeBytes: number): void {
    const { from, to } = packet
    const nowMs = this.#options.nowMs()
    const [stream, arrivesMs] = this.#streams.send(from, to, { sizeBytes, nowMs })
    this.#options.schedule(arrivesMs, { ...packet, stream })
  }

  #sendDatagram(packet: Packet): void {
    const { network } = this.#options
    for (let copies = network.isDuplicated() ? 2 : 1; copies > 0; copies--) {
      if (network.isLost()) continue
      const delayMs = network.delayMs(packet.from, packet.to)
      this.#options.schedule(this.#options.nowMs() + delayMs, packet)
    }
  }

  /** A packet is where it was sent to. */
  arrive(packet: Packet): void {
    const { to, from, messages } = packet
    const arrival = this.#streams.arrive(packet)
    if (arrival.kind === 'broken') {
      this.#tellBroken(packet, arrival.afterMs)
      return
    }
    if (!to.isUp || (packet.stream === undefined && this.#overflows(to))) return
    this.#options.deliver(to, {
      kind: 'received',
      from: packet.fromNode,
      endpoint: from.endpoint,
      messages: this.#options.wire.carry(messages, !from.isByzantine),
    })
  }

  /** Whether a datagram finds the socket buffer of a host that stands still full. */
  #overflows(to: Host): boolean {
    if (to.pausedUntilMs <= this.#options.nowMs()) return false
    return ++to.inboxDatagrams > this.#options.network.settings.socketBufferDatagrams
  }

  #tellBroken({ from, fromLife, destination }: Packet, afterMs: number | undefined): void {
    if (afterMs === undefined) return
    this.#options.at(this.#options.nowMs() + afterMs, () => {
      if (from.life === fromLife) {
        this.#options.deliver(from, { kind: 'unreachable', to: destination })
      }
    })
  }
}
