/** What may wait for one peer. */
export const MAX_QUEUE_BYTES = 4_194_304

/** What may wait for all peers. */
export interface SharedQueue {
  bytes: number
  readonly maxBytes: number
}

/** Frames that wait for a stream. Full, it drops the oldest: newer ones say more. */
export class FrameQueue {
  readonly #shared: SharedQueue
  #frames: Uint8Array[] = []
  #bytes = 0

  constructor(shared: SharedQueue) {
    this.#shared = shared
  }

  get length(): number {
    return this.#frames.length
  }

  /** Puts a frame last. @returns how many were dropped for it */
  push(frame: Uint8Array): number {
    this.#frames.push(frame)
    this.#count(frame.length)
    let dropped = 0
    for (; this.#frames.length > 1 && this.#isTooMuch(); dropped++) this.shift()
    return dropped
  }

  /** Takes the first frame. */
  shift(): Uint8Array | undefined {
    const frame = this.#frames.shift()
    if (frame !== undefined) this.#count(-frame.length)
    return frame
  }

  clear(): void {
    this.#count(-this.#bytes)
    this.#frames = []
  }

  #isTooMuch(): boolean {
    return this.#bytes > MAX_QUEUE_BYTES || this.#shared.bytes > this.#shared.maxBytes
  }

  #count(bytes: number): void {
    this.#bytes += bytes
    this.#shared.bytes += bytes
  }
}
