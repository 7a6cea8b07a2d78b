/**
 * Writes a stream of records as HTTP/1.1 chunks, onto the bare socket: one chunk per record as
 * libprocess does, or in any other cut that proxies and networks may make of it.
 *
 * **Source:** RFC 9112 §7.1; Apache Mesos `3rdparty/libprocess/src/process.cpp` (StreamingResponse)
 */
import type { Socket } from 'node:net'
import type { StreamEnd } from './subscribers.ts'

/** How the bytes of a stream are cut. */
export interface Cut {
  /** Bytes per chunk; default: a record is a chunk. */
  readonly chunkBytes?: number
  /** Records that arrive in one turn of the event loop go out as one chunk. */
  readonly isCoalesced?: boolean
  /** What stands behind the size of each chunk, e.g. `;name=value`. */
  readonly extension?: string
  /** Bytes per write to the socket, chunk headers included; default: all at once. */
  readonly writeBytes?: number
  /** The stream breaks after so many bytes of its records, in the middle of whatever is there. */
  readonly breakAfterBytes?: number
  /** The stream stalls after so many bytes on the wire, until it is told to go on. */
  readonly stallAfterBytes?: number
  /** How it breaks then; default `reset`. */
  readonly breakBy?: StreamEnd
}

const HEAD_LINES = ['HTTP/1.1 200 OK', 'Date: Thu, 01 Jan 1970 00:00:00 GMT']

/** The far end of a stream as the server holds it. */
export class StreamWriter {
  readonly #socket: Socket
  readonly #cut: Cut
  #waiting: Uint8Array[] = []
  #sentBytes = 0
  #mostBufferedBytes = 0
  #hasEnded = false
  /** While the connection stalls: what would be on its way. */
  #held: Buffer[] | undefined
  #untilStallBytes: number

  constructor(socket: Socket, contentType: string, cut: Cut = {}) {
    this.#socket = socket
    this.#cut = cut
    this.#untilStallBytes = cut.stallAfterBytes ?? Number.POSITIVE_INFINITY
    socket.setNoDelay(true)
    const head = [
      ...HEAD_LINES,
      `Content-Type: ${contentType}`,
      'Transfer-Encoding: chunked',
      '\r\n',
    ]
    socket.write(head.join('\r\n'))
  }

  /** Bytes of records that were handed to the socket. */
  get sentBytes(): number {
    return this.#sentBytes
  }

  /** The most that ever waited for a reader, in bytes: what a real master would have to hold. */
  get mostBufferedBytes(): number {
    return this.#mostBufferedBytes
  }

  /** Bytes that the reader has not taken yet. */
  get waitingBytes(): number {
    return this.#socket.writableLength
  }

  /** Writes the bytes of a record, or of anything else that a test wants in its place. */
  write(bytes: Uint8Array): void {
    if (this.#hasEnded) return
    const { isCoalesced, breakAfterBytes } = this.#cut
    if (breakAfterBytes !== undefined && this.#sentBytes + bytes.length >= breakAfterBytes) {
      this.#chunks(bytes.subarray(0, breakAfterBytes - this.#sentBytes))
      this.end(this.#cut.breakBy ?? 'reset')
      return
    }
    this.#waiting.push(bytes)
    if (isCoalesced !== true) this.#flush()
    else if (this.#waiting.length === 1) queueMicrotask(() => this.#flush())
  }

  /** Bytes on the connection that belong to no chunk. */
  writeRaw(bytes: Uint8Array): void {
    if (!this.#hasEnded) this.#wire(Buffer.from(bytes))
  }

  /** From now on no byte gets through, as when a link is down for a while. */
  stall(): void {
    this.#held ??= []
  }

  /** The link is up again: all that was held back arrives at once. */
  goOn(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const bytes of held) this.#wire(bytes)
  }

  /** Ends the stream. */
  end(how: StreamEnd): void {
    if (this.#hasEnded) return
    this.#flush()
    if (how !== 'reset') this.goOn()
    this.#hasEnded = true
    if (how === 'reset') this.#socket.resetAndDestroy()
    else this.#socket.end(how === 'last-chunk' ? '0\r\n\r\n' : '')
  }

  #flush(): void {
    if (this.#waiting.length === 0) return
    const bytes = Buffer.concat(this.#waiting)
    this.#waiting = []
    if (!this.#hasEnded) this.#chunks(bytes)
  }

  #chunks(bytes: Uint8Array): void {
    const { chunkBytes = Math.max(bytes.length, 1), extension = '' } = this.#cut
    this.#sentBytes += bytes.length
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      const part = bytes.subarray(at, at + chunkBytes)
      const size = `${part.length.toString(16)}${extension}\r\n`
      this.#wire(Buffer.concat([Buffer.from(size), part, Buffer.from('\r\n')]))
    }
  }

  #wire(bytes: Buffer): void {
    if (this.#held !== undefined) return void this.#held.push(bytes)
    const { writeBytes = bytes.length } = this.#cut
    const through = bytes.subarray(0, this.#untilStallBytes)
    for (let at = 0; at < through.length; at += writeBytes) {
      this.#socket.write(through.subarray(at, at + writeBytes))
    }
    this.#untilStallBytes -= through.length
    if (through.length < bytes.length) {
      this.#untilStallBytes = Number.POSITIVE_INFINITY
      this.#held = [bytes.subarray(through.length)]
    }
    this.#mostBufferedBytes = Math.max(this.#mostBufferedBytes, this.#socket.writableLength)
  }
}
