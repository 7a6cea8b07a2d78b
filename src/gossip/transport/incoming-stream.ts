import type { KeyObject } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Endpoint } from '../../model/endpoint.ts'
import type { Ip } from '../../model/ip.ts'
import type { NodeId } from '../../model/node-id.ts'
import { drawChallenge, isAnswer, readResponse } from './challenge.ts'
import type { TransportContext } from './context.ts'
import type { PacketRejection } from './events.ts'
import type { FairTurns, FrameSource } from './fair-turns.ts'
import { FrameReader, frameLength } from './frame-reader.ts'
import { deriveSubkey, type Opened, readHeader, sessionOf } from './seal.ts'
import { MAX_FRAME_BYTES, MAX_HANDSHAKE_BYTES } from './stream-limits.ts'

/** A stream that did not prove its session within this time is closed. */
const PROOF_MS = 2000

/** A frame that is not whole this long after its first byte ends the stream. */
const FRAME_MS = 10_000

/** A stream that says nothing for this long is closed; senders close theirs earlier. */
const IDLE_MS = 60_000

interface StreamSession {
  readonly id: string
  readonly sender: NodeId
  readonly from: Endpoint
  readonly subkey: KeyObject
  readonly challenge: Buffer
}

/** What an {@link IncomingStream} tells. */
export interface IncomingStreamEvents {
  readonly onProven: (stream: IncomingStream, sender: NodeId) => void
  readonly onClosed: (stream: IncomingStream) => void
}

/** A stream of another node: opened, proven, then frames of messages, each counter in its order. */
export class IncomingStream implements FrameSource {
  readonly address: Ip
  readonly #socket: Socket
  readonly #context: TransportContext
  readonly #turns: FairTurns
  readonly #events: IncomingStreamEvents
  readonly #frames = new FrameReader()
  #session: StreamSession | undefined
  #isProven = false
  #nextCounter = 0
  /** Since when the stream owes something: its proof, the rest of a frame, or a sign of life. */
  #sinceMs: number

  constructor(
    socket: Socket,
    {
      address,
      context,
      turns,
      events,
    }: {
      address: Ip
      context: TransportContext
      turns: FairTurns
      events: IncomingStreamEvents
    },
  ) {
    this.address = address
    this.#socket = socket
    this.#context = context
    this.#turns = turns
    this.#events = events
    this.#sinceMs = context.clock.nowMs()
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    // A reset ends the stream and nothing else; 'close' follows.
    socket.on('error', () => undefined)
    socket.once('close', () => {
      turns.remove(this)
      events.onClosed(this)
    })
  }

  /** When the last whole frame came. */
  get sinceMs(): number {
    return this.#sinceMs
  }

  handleFrame(): number {
    if (this.#socket.destroyed) return 0
    const frame = this.#frames.take(this.#isProven ? MAX_FRAME_BYTES : MAX_HANDSHAKE_BYTES)
    if (frame === undefined) {
      this.#socket.resume()
      return 0
    }
    const wrong = frame === 'too-large' ? frame : this.#handle(frame)
    if (wrong !== undefined) {
      this.reject(wrong)
      return 0
    }
    return frame.length
  }

  /** Closes the stream when it owes something for too long. */
  expire(nowMs: number): void {
    const ageMs = nowMs - this.#sinceMs
    if (!this.#isProven && ageMs >= PROOF_MS) this.reject('timeout')
    // While whole frames wait for their turn, it is not the sender who is late.
    else if (this.#frames.waitingBytes > 0 && !this.#socket.isPaused() && ageMs >= FRAME_MS)
      this.reject('timeout')
    else if (ageMs >= IDLE_MS) this.close()
  }

  /** Closes the stream and says why. */
  reject(reason: PacketRejection): void {
    this.#context.onRejected(reason, this.address)
    this.close()
  }

  close(): void {
    this.#turns.remove(this)
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    // A frame begins: its time starts now, not when the one before it ended.
    if (this.#isProven && this.#frames.waitingBytes === 0)
      this.#sinceMs = this.#context.clock.nowMs()
    this.#frames.push(chunk)
    if (!this.#turns.add(this)) this.#socket.pause()
  }

  /** @returns what is wrong with the frame */
  #handle(frame: Buffer): PacketRejection | undefined {
    const header = readHeader(frame)
    if (typeof header === 'string') return header
    const { keys, sealer } = this.#context
    const key = keys.find(header.key)
    if (key === undefined) return 'unknown-key'
    const session = this.#session
    if (session !== undefined && session.id !== header.sessionId) return 'forged'
    if (header.counter !== this.#nextCounter) return 'replayed'
    const subkey = session?.subkey ?? deriveSubkey(key, sessionOf(frame))
    const opened = sealer.open(frame, subkey)
    if (opened === undefined) return 'forged'
    this.#nextCounter++
    if (session === undefined) {
      if (header.type !== 'open-stream') return 'junk'
      return this.#challenge(opened, { subkey, id: header.sessionId, session: sessionOf(frame) })
    }
    if (opened.sender !== session.sender) return 'forged'
    if (!this.#isProven)
      return header.type === 'response' ? this.#prove(opened, session) : 'unproven'
    if (header.type !== 'messages') return 'junk'
    this.#sinceMs = this.#context.clock.nowMs()
    this.#context.deliver(opened, session.from, 'stream')
    return undefined
  }

  #challenge(
    { sender, port }: Opened,
    { subkey, id, session }: { subkey: KeyObject; id: string; session: Buffer },
  ): PacketRejection | undefined {
    if (sender === this.#context.node) return 'own-node'
    if (port === 0) return 'junk'
    const challenge = drawChallenge()
    this.#session = { id, sender, from: { address: this.address, port }, subkey, challenge }
    const packet = this.#context.challenge({ random: challenge, session })
    this.#socket.write(Buffer.concat([frameLength(packet), packet]))
    return undefined
  }

  #prove({ content }: Opened, { challenge, sender }: StreamSession): PacketRejection | undefined {
    const response = readResponse(content)
    if (response === undefined || !isAnswer(response, challenge)) return 'stray'
    this.#isProven = true
    this.#sinceMs = this.#context.clock.nowMs()
    this.#events.onProven(this, sender)
    return undefined
  }
}
