/** Length and content of a frame: u32, then so many bytes. */
const LENGTH_BYTES = 4

/** Cuts what a stream delivers into frames. */
export class FrameReader {
  readonly #chunks: Buffer[] = []
  #sizeBytes = 0

  /** Bytes that were not taken yet. */
  get waitingBytes(): number {
    return this.#sizeBytes
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#sizeBytes += chunk.length
  }

  /**
   * The next frame.
   *
   * @returns undefined when it is not whole yet; known too large as soon as its length is there
   */
  take(limitBytes: number): Buffer | 'too-large' | undefined {
    if (this.#sizeBytes < LENGTH_BYTES) return undefined
    const lengthBytes = this.#first(LENGTH_BYTES).readUInt32BE(0)
    if (lengthBytes > limitBytes) return 'too-large'
    const endAt = LENGTH_BYTES + lengthBytes
    if (this.#sizeBytes < endAt) return undefined
    const first = this.#first(endAt)
    if (first.length > endAt) this.#chunks[0] = first.subarray(endAt)
    else this.#chunks.shift()
    this.#sizeBytes -= endAt
    return first.subarray(LENGTH_BYTES, endAt)
  }

  /** The first chunk, joined with the next ones until it has so many bytes. */
  #first(bytes: number): Buffer {
    let count = 0
    for (let joined = 0; joined < bytes; count++) joined += this.#chunks[count]?.length ?? bytes
    if (count > 1) this.#chunks.splice(0, count, Buffer.concat(this.#chunks.slice(0, count)))
    return this.#chunks[0] ?? Buffer.alloc(0)
  }
}

/** What stands before a frame on the wire. */
export function frameLength(frame: Uint8Array): Buffer {
  const prefix = Buffer.allocUnsafe(LENGTH_BYTES)
  prefix.writeUInt32BE(frame.length)
  return prefix
}
