import { backoffMs } from '../../base/backoff.ts'
import type { Destination } from '../engine/effects.ts'
import type { TransportContext } from './context.ts'
import { FrameQueue, type SharedQueue } from './frame-queue.ts'
import { OutgoingConnection } from './outgoing-connection.ts'

/** The connection must be there, and the challenge, within this time each. */
const CONNECT_MS = 1000

/** A stream that has nothing to send for this long is closed. */
const IDLE_MS = 30_000

/** A peer that takes nothing for this long is given up. */
const STALL_MS = 10_000

/** What was sent must be taken within this time after the stream was ended. */
const END_MS = 5000

/** A peer that took frames for this long counts as well again. */
const WELL_MS = 1000

const BACKOFF = { baseMs: 100, maxMs: 5000 }

/** The stream to one peer: connected while there is something to send, and a while longer. */
export class OutgoingStream {
  readonly #to: Destination
  readonly #context: TransportContext
  readonly #queue: FrameQueue
  #connection: OutgoingConnection | undefined
  /** Until then no new connection is tried. */
  #restUntilMs = Number.NEGATIVE_INFINITY
  #failures = 0
  #sentMs: number
  /** Something was dropped, and said so, since the queue was empty last. */
  #isLossy = false

  constructor(to: Destination, context: TransportContext, shared: SharedQueue) {
    this.#to = to
    this.#context = context
    this.#queue = new FrameQueue(shared)
    this.#sentMs = context.clock.nowMs()
  }

  /** Whether there is nothing left to remember. */
  get isDone(): boolean {
    const isResting = this.#context.clock.nowMs() < this.#restUntilMs
    return this.#connection === undefined && this.isIdle && !isResting
  }

  /** Whether nothing waits. */
  get isIdle(): boolean {
    return this.#queue.length === 0
  }

  /** Whether it can be ended without loss. */
  get isFlushed(): boolean {
    return this.isIdle && this.#connection?.isFlushed !== false
  }

  /** When something was sent last. */
  get sentMs(): number {
    return this.#sentMs
  }

  /** Sends the content of a frame as soon as the peer takes it. */
  send(content: Uint8Array): void {
    const { clock, onDropped, onUnreachable } = this.#context
    this.#sentMs = clock.nowMs()
    const dropped = this.#queue.push(content)
    for (let count = 0; count < dropped; count++) onDropped('queue-full')
    if (dropped > 0 && !this.#isLossy) {
      this.#isLossy = true
      onUnreachable(this.#to)
    }
    this.#advance()
  }

  /** Notices what is late. */
  expire(nowMs: number): void {
    const connection = this.#connection
    if (connection === undefined) this.#advance()
    else if (connection.state === 'open') this.#expireOpen(connection, nowMs)
    else {
      const limitMs = connection.state === 'ending' ? END_MS : CONNECT_MS
      if (nowMs - connection.sinceMs >= limitMs) this.#fail()
    }
  }

  /** Ends the stream at once; what still waits is lost. */
  destroy(): void {
    this.#queue.clear()
    const connection = this.#connection
    this.#connection = undefined
    connection?.destroy()
  }

  #expireOpen(connection: OutgoingConnection, nowMs: number): void {
    const ageMs = nowMs - connection.sinceMs
    if (!this.isIdle || !connection.isFlushed) {
      if (ageMs >= STALL_MS) this.#fail()
      return
    }
    if (ageMs >= WELL_MS) this.#failures = 0
    if (nowMs - this.#sentMs >= IDLE_MS) connection.end()
  }

  #advance(): void {
    if (this.#connection !== undefined) this.#flush(this.#connection)
    else if (!this.isIdle && this.#context.clock.nowMs() >= this.#restUntilMs) this.#connect()
  }

  #connect(): void {
    const connection = new OutgoingConnection(this.#to, this.#context, {
      onWritable: () => this.#flush(connection),
      onGone: () => this.#onGone(connection),
    })
    this.#connection = connection
  }

  /** Writes while the peer takes it; what comes after a change of key goes into a new connection. */
  #flush(connection: OutgoingConnection): void {
    while (!this.isIdle && connection === this.#connection && connection.isWritable) {
      if (!connection.isOfPresentKey) {
        connection.end()
        return
      }
      const content = this.#queue.shift()
      if (content !== undefined) connection.write(content)
    }
    if (this.isIdle) this.#isLossy = false
  }

  /** The connection is gone: as it should, or with what was in it. */
  #onGone(connection: OutgoingConnection): void {
    if (connection !== this.#connection) return
    if (connection.state !== 'ending') {
      this.#fail()
      return
    }
    this.#connection = undefined
    connection.destroy()
    this.#advance()
  }

  /** Gives up: what waits and what is under way is lost. */
  #fail(): void {
    const { clock, random, onDropped, onUnreachable } = this.#context
    this.#restUntilMs = clock.nowMs() + backoffMs(BACKOFF, this.#failures++, random)
    this.destroy()
    onDropped('unreachable')
    onUnreachable(this.#to)
  }
}
