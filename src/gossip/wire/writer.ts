import { Buffer } from 'node:buffer'
import type { Endpoint } from '../../model/endpoint.ts'
import { writeIp16 } from '../../model/ip-bytes.ts'
import type { NodeId } from '../../model/node-id.ts'
import type { Digest } from '../engine/messages.ts'
import type { Sink } from './sink.ts'

/** Writes fields into bytes whose number is known before, see `size.ts`. */
export class Writer implements Sink {
  /** All that was written, once everything was. */
  readonly written: Uint8Array
  readonly #view: DataView
  readonly #buffer: Buffer
  #at = 0

  constructor(sizeBytes: number) {
    this.written = new Uint8Array(sizeBytes)
    this.#view = new DataView(this.written.buffer)
    this.#buffer = Buffer.from(this.written.buffer)
  }

  u8(value: number): void {
    this.#expect(value, 0xff)
    this.written[this.#at++] = value
  }

  flag(value: boolean): void {
    this.written[this.#at++] = value ? 1 : 0
  }

  u16(value: number): void {
    this.#expect(value, 0xffff)
    this.#view.setUint16(this.#at, value)
    this.#at += 2
  }

  u32(value: number): void {
    this.#expect(value, 0xffff_ffff)
    this.#view.setUint32(this.#at, value)
    this.#at += 4
  }

  u53(value: number): void {
    this.#expect(value, Number.MAX_SAFE_INTEGER)
    this.#view.setUint32(this.#at, Math.floor(value / 2 ** 32))
    this.#view.setUint32(this.#at + 4, value >>> 0)
    this.#at += 8
  }

  bytes(value: Uint8Array): void {
    this.written.set(value, this.#at)
    this.#at += value.length
  }

  bytes16(value: Uint8Array): void {
    this.u16(value.length)
    this.bytes(value)
  }

  bytes32(value: Uint8Array): void {
    this.u32(value.length)
    this.bytes(value)
  }

  text(value: string): void {
    const sizeBytes = this.#buffer.write(value, this.#at + 2, 'utf8')
    this.u16(sizeBytes)
    this.#at += sizeBytes
  }

  id(value: NodeId): void {
    this.#buffer.write(value, this.#at, 16, 'hex')
    this.#at += 16
  }

  endpoint(value: Endpoint): void {
    writeIp16(value.address, this.written, this.#at)
    this.#at += 16
    this.u16(value.port)
  }

  digest({ high, low }: Digest): void {
    this.#view.setUint32(this.#at, high)
    this.#view.setUint32(this.#at + 4, low)
    this.#at += 8
  }

  /** A number that does not fit would arrive as another one: that is a bug of the caller. */
  #expect(value: number, most: number): void {
    if (value >= 0 && value <= most && Number.isInteger(value)) return
    throw new RangeError(`a field of the wire takes 0 to ${most}, not ${value}`)
  }
}
