/**
 * The wire format of Protocol Buffers: fields as tag and value, nested messages as bytes.
 *
 * A reader of our own since those of the packages at hand take a length beyond the end of the
 * bytes for the end, and so a cut message for a whole one.
 *
 * **Source:** https://protobuf.dev/programming-guides/encoding/
 */

/** Bytes that are no message. */
export class WireError extends Error {
  override readonly name = 'WireError'
}

/** How a value is written, the low three bits of its tag. */
export const WIRE = {
  varint: 0,
  fixed64: 1,
  bytes: 2,
  groupStart: 3,
  groupEnd: 4,
  fixed32: 5,
} as const

/** Messages and groups nested deeper are refused, as by Google's own readers. */
export const MAX_DEPTH = 100

const TWO_32 = 2 ** 32

/** Reads values one after another, never beyond {@link end}. */
export class WireReader {
  at = 0
  /** Where the message that is read ends. */
  end: number
  readonly #bytes: Buffer
  readonly #view: DataView
  // The two halves of the varint that was read last.
  #low = 0
  #high = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.end = bytes.length
  }

  /** The tag of the next field, `number << 3 | wire`. @throws WireError */
  tag(): number {
    this.#varint()
    if (this.#high !== 0 || this.#low >>> 3 === 0) throw new WireError('a tag is out of range')
    return this.#low >>> 0
  }

  /** An unsigned number of 64 bits; beyond 2^53 the nearest. @throws WireError */
  uint64(): number {
    this.#varint()
    return (this.#high >>> 0) * TWO_32 + (this.#low >>> 0)
  }

  /** A signed number of 64 bits; beyond 2^53 the nearest. @throws WireError */
  int64(): number {
    this.#varint()
    return (this.#high | 0) * TWO_32 + (this.#low >>> 0)
  }

  /** A signed number of 32 bits; what is above them is cut off. @throws WireError */
  int32(): number {
    this.#varint()
    return this.#low | 0
  }

  /** @throws WireError */
  boolean(): boolean {
    this.#varint()
    return (this.#low | this.#high) !== 0
  }

  /** @throws WireError */
  double(): number {
    const at = this.#take(8)
    return this.#view.getFloat64(at, true)
  }

  /** Text in UTF-8; what is none becomes U+FFFD, as proto2 does not forbid it. @throws WireError */
  text(): string {
    const sizeBytes = this.#length()
    const at = this.#take(sizeBytes)
    return this.#bytes.toString('utf8', at, at + sizeBytes)
  }

  /** Enters a nested message. @returns the end of the outer one, for {@link leave} */
  enter(): number {
    const sizeBytes = this.#length()
    const outerEnd = this.end
    this.end = this.at + sizeBytes
    return outerEnd
  }

  /** Leaves a nested message that has been read to its end. */
  leave(outerEnd: number): void {
    this.end = outerEnd
  }

  /** Passes over the value of a field. @throws WireError */
  skip(tag: number, depth: number): void {
    switch (tag & 7) {
      case WIRE.varint:
        this.#varint()
        break
      case WIRE.fixed64:
        this.#take(8)
        break
      case WIRE.bytes:
        this.#take(this.#length())
        break
      case WIRE.groupStart:
        this.#skipGroup(tag, depth)
        break
      case WIRE.fixed32:
        this.#take(4)
        break
      default:
        throw new WireError(`field ${tag >>> 3} has the wire type ${tag & 7}`)
    }
  }

  #skipGroup(start: number, depth: number): void {
    if (depth >= MAX_DEPTH) throw new WireError(`nested deeper than ${MAX_DEPTH}`)
    const last = (start & ~7) | WIRE.groupEnd
    for (;;) {
      const tag = this.tag()
      if (tag === last >>> 0) return
      this.skip(tag, depth + 1)
    }
  }

  #length(): number {
    const sizeBytes = this.uint64()
    if (sizeBytes > this.end - this.at) throw new WireError('a length is beyond the end')
    return sizeBytes
  }

  #take(sizeBytes: number): number {
    const { at } = this
    if (sizeBytes > this.end - at) throw new WireError('a value is cut off')
    this.at += sizeBytes
    return at
  }

  /** Reads a varint into its halves: seven bits a byte, of which the fifth belongs to both. */
  #varint(): void {
    let byte = this.#byte()
    this.#low = byte & 0x7f
    this.#high = 0
    for (let shift = 7; byte >= 0x80; shift += 7) {
      if (shift > 63) throw new WireError('a number has more than ten bytes')
      byte = this.#byte()
      const bits = byte & 0x7f
      if (shift < 32) this.#low |= bits << shift
      if (shift === 28) this.#high = bits >> 4
      else if (shift > 32) this.#high |= bits << (shift - 32)
    }
  }

  #byte(): number {
    if (this.at >= this.end) throw new WireError('a number is cut off')
    return this.#bytes[this.at++] ?? 0
  }
}
