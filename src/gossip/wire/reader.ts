import { Buffer, isUtf8 } from 'node:buffer'
import type { Endpoint } from '../../model/endpoint.ts'
import { readIp16 } from '../../model/ip-bytes.ts'
import type { NodeId } from '../../model/node-id.ts'
import type { Digest } from '../engine/messages.ts'

/** The same bytes, seen in the three ways that are fastest for numbers, text and copies. */
interface Views {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly buffer: Buffer
}

const EMPTY = new Uint8Array(0)
const NOWHERE = '::' as Endpoint['address']

/**
 * Reads fields one after another. What is not there, or not allowed, breaks the reader: from then
 * on every field reads as zero or empty, and {@link isBroken} says so. Nothing throws, so a layout
 * is read without a check per field; only lists ask before they grow.
 *
 * What is returned never refers to the bytes read, so that a record that is kept for days does not
 * keep the packet that it came in.
 */
export class Reader {
  readonly #views: Views
  readonly #end: number
  #at: number
  #isBroken = false

  private constructor(views: Views, at: number, end: number) {
    this.#views = views
    this.#at = at
    this.#end = end
  }

  /** A reader of all of these bytes. */
  static of(source: Uint8Array): Reader {
    const { buffer, byteOffset, byteLength } = source
    const views = {
      bytes: new Uint8Array(buffer, byteOffset, byteLength),
      view: new DataView(buffer, byteOffset, byteLength),
      buffer: Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength),
    }
    return new Reader(views, 0, byteLength)
  }

  /** Whether something was missing or not allowed. */
  get isBroken(): boolean {
    return this.#isBroken
  }

  /** The number of bytes not read yet; 0 once broken. */
  get remainingBytes(): number {
    return this.#isBroken ? 0 : this.#end - this.#at
  }

  /** Refuses what was read. */
  breakOff(): void {
    this.#isBroken = true
  }

  /** A reader of the next bytes only; this one goes on behind them. */
  part(sizeBytes: number): Reader {
    const at = this.#take(sizeBytes)
    return new Reader(this.#views, at, at + (this.#isBroken ? 0 : sizeBytes))
  }

  u8(): number {
    const at = this.#take(1)
    return this.#isBroken ? 0 : (this.#views.bytes[at] ?? 0)
  }

  /** A byte that is 0 or 1. */
  flag(): boolean {
    const value = this.u8()
    if (value > 1) this.#isBroken = true
    return value === 1
  }

  u16(): number {
    const at = this.#take(2)
    return this.#isBroken ? 0 : this.#views.view.getUint16(at)
  }

  u32(): number {
    const at = this.#take(4)
    return this.#isBroken ? 0 : this.#views.view.getUint32(at)
  }

  u53(): number {
    const high = this.u32()
    const low = this.u32()
    if (high > 0x1f_ffff) this.#isBroken = true
    return this.#isBroken ? 0 : high * 2 ** 32 + low
  }

  bytes(sizeBytes: number): Uint8Array {
    const at = this.#take(sizeBytes)
    return this.#isBroken || sizeBytes === 0 ? EMPTY : this.#views.bytes.slice(at, at + sizeBytes)
  }

  /** Bytes behind their number (u16). */
  bytes16(): Uint8Array {
    return this.bytes(this.u16())
  }

  /** Bytes behind their number (u32), which is at most this. */
  bytes32(mostBytes: number): Uint8Array {
    const sizeBytes = this.u32()
    if (sizeBytes > mostBytes) this.#isBroken = true
    return this.bytes(sizeBytes)
  }

  /** Text behind its number of bytes (u16), which is at most this. */
  text(mostBytes: number): string {
    const sizeBytes = this.u16()
    if (sizeBytes > mostBytes) this.#isBroken = true
    const at = this.#take(sizeBytes)
    if (this.#isBroken) return ''
    const { bytes, buffer } = this.#views
    if (!isUtf8(bytes.subarray(at, at + sizeBytes))) this.#isBroken = true
    return this.#isBroken ? '' : buffer.toString('utf8', at, at + sizeBytes)
  }

  id(): NodeId {
    const at = this.#take(16)
    return (this.#isBroken ? '' : this.#views.buffer.toString('hex', at, at + 16)) as NodeId
  }

  endpoint(): Endpoint {
    const at = this.#take(16)
    const address = this.#isBroken ? NOWHERE : readIp16(this.#views.bytes, at)
    return { address, port: this.u16() }
  }

  digest(): Digest {
    return { high: this.u32(), low: this.u32() }
  }

  /**
   * So many of the same. A number that the remaining bytes cannot hold breaks the reader before
   * anything is made.
   *
   * @param leastBytes that one of them takes, at least 1
   */
  list<T>(count: number, leastBytes: number, read: (reader: Reader) => T): T[] {
    if (count * leastBytes > this.remainingBytes) this.#isBroken = true
    const items: T[] = []
    while (!this.#isBroken && items.length < count) items.push(read(this))
    return items
  }

  /** Goes on by so many bytes. @returns where they begin, if they are there */
  #take(sizeBytes: number): number {
    const at = this.#at
    if (sizeBytes > this.#end - at) this.#isBroken = true
    else this.#at = at + sizeBytes
    return at
  }
}
