import type { Destination } from '../engine/effects.ts'
import type { TransportContext } from './context.ts'
import type { SharedQueue } from './frame-queue.ts'
import { OutgoingStream } from './outgoing-stream.ts'
import { destinationKey } from './sending-session.ts'

/** Streams that are kept; the idle one that was used least recently is closed for another. */
const MAX_STREAMS = 256

/** What may wait for all peers together. */
const MAX_TOTAL_BYTES = 33_554_432

/** The streams that this node opened, one per peer. */
export class OutgoingStreams {
  readonly #context: TransportContext
  readonly #streams = new Map<string, OutgoingStream>()
  readonly #shared: SharedQueue = { bytes: 0, maxBytes: MAX_TOTAL_BYTES }

  constructor(context: TransportContext) {
    this.#context = context
  }

  get count(): number {
    return this.#streams.size
  }

  /** Sends the content of a frame; opens the stream when there is none. */
  send(to: Destination, content: Uint8Array): void {
    const key = destinationKey(to)
    const known = this.#streams.get(key)
    if (known !== undefined) {
      known.send(content)
      return
    }
    if (this.#streams.size >= MAX_STREAMS && !this.#evict()) {
      this.#context.onDropped('queue-full')
      this.#context.onUnreachable(to)
      return
    }
    const stream = new OutgoingStream(to, this.#context, this.#shared)
    this.#streams.set(key, stream)
    stream.send(content)
  }

  expire(nowMs: number): void {
    for (const [key, stream] of this.#streams) {
      stream.expire(nowMs)
      if (stream.isDone) this.#streams.delete(key)
    }
  }

  close(): void {
    for (const stream of this.#streams.values()) stream.destroy()
    this.#streams.clear()
  }

  /** Makes room. @returns false when all are busy */
  #evict(): boolean {
    const flushed = [...this.#streams].filter(([, stream]) => stream.isFlushed)
    const [oldest] = flushed.sort(([, left], [, right]) => left.sentMs - right.sentMs)
    if (oldest === undefined) return false
    const [key, stream] = oldest
    stream.destroy()
    this.#streams.delete(key)
    return true
  }
}
