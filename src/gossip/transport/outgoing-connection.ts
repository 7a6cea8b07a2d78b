import { connect, type Socket } from 'node:net'
import type { Endpoint } from '../../model/endpoint.ts'
import { familyOf } from '../../model/ip.ts'
import type { Destination } from '../engine/effects.ts'
import { type Challenge, readChallenge, writeResponse } from './challenge.ts'
import type { TransportContext } from './context.ts'
import { FrameReader, frameLength } from './frame-reader.ts'
import { deriveSubkey, type PacketType, readHeader, sessionOf } from './seal.ts'
import { SendingSession } from './sending-session.ts'
import { MAX_HANDSHAKE_BYTES } from './stream-limits.ts'

/** How far a connection is: until it is open, nothing but the proof is sent. */
export type ConnectionState = 'connecting' | 'opening' | 'open' | 'ending'

/** What an {@link OutgoingConnection} tells. */
export interface ConnectionEvents {
  /** The peer takes frames: at first, and again after it was busy. */
  readonly onWritable: () => void
  /** Nothing goes through it any more. */
  readonly onGone: () => void
}

/** One connection to a peer: opened, proven, then frames. */
export class OutgoingConnection {
  readonly #socket: Socket
  readonly #to: Destination
  readonly #context: TransportContext
  readonly #events: ConnectionEvents
  readonly #session: SendingSession
  readonly #frames = new FrameReader()
  #state: ConnectionState = 'connecting'
  #sinceMs: number

  constructor(to: Destination, context: TransportContext, events: ConnectionEvents) {
    const { keys, sealer, clock } = context
    this.#to = to
    this.#context = context
    this.#events = events
    this.#sinceMs = clock.nowMs()
    this.#session = new SendingSession(keys.sending, sealer, this.#sinceMs)
    this.#socket = connectTo(to.endpoint, context.listen)
    this.#socket.on('error', () => undefined)
    this.#socket.once('connect', () => {
      this.#become('opening')
      this.#write('open-stream', new Uint8Array())
    })
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk))
    this.#socket.on('drain', () => this.#onDrain())
    this.#socket.once('end', () => events.onGone())
    this.#socket.once('close', () => events.onGone())
  }

  get state(): ConnectionState {
    return this.#state
  }

  /** When the state began; while open also when the peer last took something. */
  get sinceMs(): number {
    return this.#sinceMs
  }

  /** Whether a frame can be written now. */
  get isWritable(): boolean {
    return this.#state === 'open' && !this.#socket.writableNeedDrain
  }

  /** Whether the kernel took all that was written. */
  get isFlushed(): boolean {
    return this.#socket.writableLength === 0
  }

  /** Whether the key that it seals with still is the one to seal with. */
  get isOfPresentKey(): boolean {
    return this.#session.key.id === this.#context.keys.sending.id
  }

  /** Writes a frame of messages. */
  write(content: Uint8Array): void {
    this.#sinceMs = this.#context.clock.nowMs()
    this.#write('messages', content)
  }

  /** Ends the connection after what was written. */
  end(): void {
    this.#become('ending')
    this.#socket.end()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #onDrain(): void {
    if (this.#state !== 'open') return
    this.#sinceMs = this.#context.clock.nowMs()
    this.#events.onWritable()
  }

  /** The peer says something: only a challenge is expected, once. */
  #take(chunk: Buffer): void {
    this.#frames.push(chunk)
    const frame = this.#frames.take(MAX_HANDSHAKE_BYTES)
    if (frame === undefined) return
    const isExpected = this.#state === 'opening' && frame !== 'too-large'
    const challenge = isExpected ? this.#challengeIn(frame) : undefined
    if (challenge === undefined) {
      this.#context.onRejected(isExpected ? 'forged' : 'junk', this.#to.endpoint.address)
      this.destroy()
      return
    }
    this.#write('response', writeResponse({ random: challenge.random, freshFrom: 0 }))
    this.#become('open')
    this.#events.onWritable()
  }

  /** @returns undefined unless the node that is wanted asks for the proof of this very session */
  #challengeIn(frame: Buffer): Challenge | undefined {
    const { keys, sealer, node } = this.#context
    const header = readHeader(frame)
    if (typeof header === 'string' || header.type !== 'challenge') return undefined
    const key = keys.find(header.key)
    const opened = key && sealer.open(frame, deriveSubkey(key, sessionOf(frame)))
    if (opened === undefined || opened.sender === node) return undefined
    if (this.#to.node !== undefined && opened.sender !== this.#to.node) return undefined
    const challenge = readChallenge(opened.content)
    return challenge?.session.equals(this.#session.id) ? challenge : undefined
  }

  #become(state: ConnectionState): void {
    this.#state = state
    this.#sinceMs = this.#context.clock.nowMs()
  }

  #write(type: PacketType, content: Uint8Array): void {
    const packet = this.#session.seal(type, content, this.#sinceMs)
    this.#socket.cork()
    this.#socket.write(frameLength(packet))
    this.#socket.write(packet)
    this.#socket.uncork()
  }
}

/** Connects from the address that this node listens on, so that its peers know it by that. */
function connectTo({ address, port }: Endpoint, listen: Endpoint): Socket {
  const isOwn = !['0.0.0.0', '::'].includes(listen.address)
  const localAddress = isOwn && familyOf(listen.address) === familyOf(address)
  return connect({
    host: address,
    port,
    noDelay: true,
    ...(localAddress && { localAddress: listen.address }),
  })
}
