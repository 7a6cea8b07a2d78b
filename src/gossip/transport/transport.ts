/**
 * Carries messages between nodes: datagrams for what is small and soon stale, streams for what is
 * large or must be in order; both on one port, sealed with the cluster's keys. Nothing recorded
 * earlier is ever taken: each session answers a challenge before it is believed.
 */
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import { Scope } from '../../base/scope.ts'
import { endOfTurn } from '../../base/turn.ts'
import type { Endpoint } from '../../model/endpoint.ts'
import type { Ip } from '../../model/ip.ts'
import type { NodeId } from '../../model/node-id.ts'
import type { Channel, Destination } from '../engine/effects.ts'
import type { Message } from '../engine/messages.ts'
import { decodeMessages, encodeMessages } from '../wire/codec.ts'
import { messageSize } from '../wire/size.ts'
import { type BoundSockets, bindSockets } from './bind.ts'
import { type Challenge, writeChallenge } from './challenge.ts'
import type { TransportContext } from './context.ts'
import { DatagramChannel } from './datagram-channel.ts'
import type { PacketRejection, TransportEvents } from './events.ts'
import { FairTurns } from './fair-turns.ts'
import { IncomingStreams } from './incoming-streams.ts'
import type { KeyRing } from './key-ring.ts'
import { OutgoingStreams } from './outgoing-streams.ts'
import { RejectionLog } from './rejection-log.ts'
import { type Opened, SEAL_BYTES, Sealer } from './seal.ts'
import { SendingSession } from './sending-session.ts'
import { MAX_CONTENT_BYTES, SHARED_FRAME_BYTES } from './stream-limits.ts'

/** How often late streams, frames and proofs are looked for. */
const EXPIRE_MS = 100

/** What a transport works with. */
export interface TransportOptions {
  /** Port 0 asks the kernel for one that is free for UDP and TCP. */
  readonly listen: Endpoint
  readonly node: NodeId
  readonly clusterId: string
  readonly keys: KeyRing
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** The largest datagram; what is larger goes over the stream. */
  readonly datagramBytes: number
  /** Messages that a member sent; `endpoint` is where it listens. */
  onReceived(received: {
    readonly from: NodeId
    readonly endpoint: Endpoint
    readonly messages: readonly Message[]
    readonly channel: Channel
  }): void
  /** Something to this destination may be lost. May be called while {@link Transport.send} runs. */
  onUnreachable(to: Destination): void
  readonly events: TransportEvents
}

/** A running transport. */
export interface Transport {
  /** Where it listens. */
  readonly endpoint: Endpoint
  /** Sends and returns at once; datagrams may be lost, streams say when something may be. */
  send(to: Destination, channel: Channel, messages: readonly Message[]): void
  close(): Promise<void>
}

/** Opens both channels. @throws NavstarError `GOSSIP_BIND_FAILED` */
export async function openTransport(options: TransportOptions): Promise<Transport> {
  return new OpenTransport(options, await bindSockets(options.listen))
}

class OpenTransport implements Transport {
  readonly endpoint: Endpoint
  readonly #options: TransportOptions
  readonly #scope: Scope
  readonly #datagrams: DatagramChannel
  readonly #incoming: IncomingStreams
  readonly #outgoing: OutgoingStreams

  constructor(options: TransportOptions, { datagrams, streams, endpoint }: BoundSockets) {
    this.#options = options
    this.endpoint = endpoint
    const { log, clock } = options
    this.#scope = new Scope((error) => log.error('a part of the transport failed', { error }))
    const context = contextOf(options, endpoint)
    this.#datagrams = new DatagramChannel(datagrams, context)
    this.#incoming = new IncomingStreams(streams, context, new FairTurns(clock, this.#scope))
    this.#outgoing = new OutgoingStreams(context)
    this.#scope.run((signal) => this.#expire(signal))
  }

  send(to: Destination, channel: Channel, messages: readonly Message[]): void {
    const { events, datagramBytes } = this.#options
    if (messages.length === 0 || this.#scope.signal.aborted) return
    const sizes = messages.map(messageSize)
    const sizeBytes = sizes.reduce((sum, size) => sum + size, SEAL_BYTES)
    const taken = channel === 'datagram' && sizeBytes <= datagramBytes ? 'datagram' : 'stream'
    messages.forEach(({ kind }, index) => {
      events.sent(kind, taken, sizes[index] ?? 0)
    })
    if (taken === 'datagram') this.#datagrams.send(to, encodeMessages(messages))
    else this.#stream(to, messages, sizes)
  }

  async close(): Promise<void> {
    await this.#scope.close()
    this.#outgoing.close()
    await Promise.all([this.#datagrams.close(), this.#incoming.close()])
  }

  /** Puts the messages into frames in their order, small ones together. */
  #stream(to: Destination, messages: readonly Message[], sizes: readonly number[]): void {
    let frame: Message[] = []
    let frameBytes = 0
    const flush = () => {
      if (frame.length > 0) this.#outgoing.send(to, encodeMessages(frame))
      frame = []
      frameBytes = 0
    }
    messages.forEach((message, index) => {
      const bytes = sizes[index] ?? 0
      if (bytes > MAX_CONTENT_BYTES) {
        this.#options.events.dropped('too-large')
        return
      }
      if (frameBytes + bytes > SHARED_FRAME_BYTES) flush()
      frame.push(message)
      frameBytes += bytes
    })
    flush()
  }

  async #expire(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    while (!signal.aborted) {
      await clock.sleep(EXPIRE_MS, { signal })
      // After a standstill, what arrived meanwhile is heard before anything counts as late.
      await endOfTurn()
      const nowMs = clock.nowMs()
      this.#datagrams.expire(nowMs)
      this.#incoming.expire(nowMs)
      this.#outgoing.expire(nowMs)
    }
  }
}

function contextOf(options: TransportOptions, listen: Endpoint): TransportContext {
  const { node, clusterId, keys, clock, random, log, events } = options
  const sealer = new Sealer({ clusterId, node, port: listen.port })
  const rejections = new RejectionLog(log, clock)
  const onRejected = (reason: PacketRejection, from: Ip) => {
    events.rejected(reason)
    rejections.note(reason, from)
  }
  return {
    node,
    keys,
    sealer,
    clock,
    random,
    listen,
    challenge: challenger(sealer, options),
    deliver: deliverer(options),
    onRejected,
    onDropped: (reason) => events.dropped(reason),
    onUnreachable: (to) => options.onUnreachable(to),
  }
}

/** Seals all challenges of this node in one session: a repeated one does no harm. */
function challenger(sealer: Sealer, { keys, clock }: TransportOptions) {
  let session: SendingSession | undefined
  return (challenge: Challenge): Buffer => {
    const nowMs = clock.nowMs()
    if (session?.key.id !== keys.sending.id)
      session = new SendingSession(keys.sending, sealer, nowMs)
    return session.seal('challenge', writeChallenge(challenge), nowMs)
  }
}

/** Reads messages and hands them on; a packet that cannot be handled never stops the others. */
function deliverer({ events, log, onReceived }: TransportOptions): TransportContext['deliver'] {
  return ({ sender, content }: Opened, endpoint, channel) => {
    const { messages, unreadable } = decodeMessages(content)
    for (let count = 0; count < unreadable; count++) events.rejected('unreadable')
    for (const message of messages) events.received(message.kind, channel, messageSize(message))
    if (messages.length === 0) return
    try {
      onReceived({ from: sender, endpoint, messages, channel })
    } catch (error) {
      log.error('a packet could not be handled', { from: sender, error })
    }
  }
}
