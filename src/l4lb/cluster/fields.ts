/** Fields of records, one after another; integers are big-endian. */
import type { Family, Ip } from '../../model/ip.ts'
import { readIp, readIp16, writeIp, writeIp16 } from '../../model/ip-bytes.ts'
import { type Port, toPort } from '../../model/port.ts'

const NOWHERE = '::' as Ip

/** Writes fields; the room grows as needed. */
export class FieldWriter {
  #buffer = Buffer.allocUnsafe(256)
  #sizeBytes = 0

  /** How much was written. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** All that was written, without spare room. */
  bytes(): Uint8Array {
    return new Uint8Array(this.#buffer.subarray(0, this.#sizeBytes))
  }

  u8(value: number): void {
    const at = this.#take(1)
    this.#buffer.writeUInt8(value, at)
  }

  u16(value: number): void {
    const at = this.#take(2)
    this.#buffer.writeUInt16BE(value, at)
  }

  u32(value: number): void {
    const at = this.#take(4)
    this.#buffer.writeUInt32BE(value, at)
  }

  /** Overwrites what {@link FieldWriter.u16} wrote there. */
  setU16(at: number, value: number): void {
    this.#buffer.writeUInt16BE(value, at)
  }

  /** A whole number up to 2^53 − 1, in 8 bytes. */
  u53(value: number): void {
    const at = this.#take(8)
    this.#buffer.writeBigUInt64BE(BigInt(value), at)
  }

  /** An address in its own size. */
  ip(value: Ip): void {
    const at = this.#take(value.includes(':') ? 16 : 4)
    writeIp(value, this.#buffer, at)
  }

  /** An address in 16 bytes, IPv4 mapped. */
  ip16(value: Ip): void {
    const at = this.#take(16)
    writeIp16(value, this.#buffer, at)
  }

  raw(value: Uint8Array): void {
    const at = this.#take(value.length)
    this.#buffer.set(value, at)
  }

  #take(sizeBytes: number): number {
    const at = this.#sizeBytes
    this.#sizeBytes += sizeBytes
    if (this.#sizeBytes > this.#buffer.length) {
      const room = Buffer.allocUnsafe(this.#sizeBytes * 2)
      room.set(this.#buffer.subarray(0, at))
      this.#buffer = room
    }
    return at
  }
}

/** Reads fields. What is missing reads as zero or empty, and breaks the reader; nothing throws. */
export class FieldReader {
  readonly #bytes: Buffer
  #at = 0
  #isBroken = false

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Whether something was missing. */
  get isBroken(): boolean {
    return this.#isBroken
  }

  /** What was not read yet; 0 once broken. */
  get remainingBytes(): number {
    return this.#isBroken ? 0 : this.#bytes.length - this.#at
  }

  /** A reader of the next bytes only; this one goes on behind them. Broken when they are cut. */
  part(sizeBytes: number): FieldReader {
    const reader = new FieldReader(this.raw(sizeBytes))
    reader.#isBroken = this.#isBroken
    return reader
  }

  u8(): number {
    const at = this.#take(1)
    return at === undefined ? 0 : this.#bytes.readUInt8(at)
  }

  u16(): number {
    const at = this.#take(2)
    return at === undefined ? 0 : this.#bytes.readUInt16BE(at)
  }

  u32(): number {
    const at = this.#take(4)
    return at === undefined ? 0 : this.#bytes.readUInt32BE(at)
  }

  /** A whole number up to 2^53 − 1, in 8 bytes. */
  u53(): number {
    const at = this.#take(8)
    const value = at === undefined ? 0n : this.#bytes.readBigUInt64BE(at)
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) this.#isBroken = true
    return this.#isBroken ? 0 : Number(value)
  }

  /** A port; undefined for 0, which is none. */
  port(): Port | undefined {
    return toPort(this.u16())
  }

  ip(family: Family): Ip {
    if (family === 6) return this.ip16()
    const at = this.#take(4)
    return at === undefined ? NOWHERE : readIp(this.#bytes, at, 4)
  }

  ip16(): Ip {
    const at = this.#take(16)
    return at === undefined ? NOWHERE : readIp16(this.#bytes, at)
  }

  /** The bytes themselves, not a copy. */
  raw(sizeBytes: number): Uint8Array {
    const at = this.#take(sizeBytes)
    return at === undefined ? new Uint8Array() : this.#bytes.subarray(at, at + sizeBytes)
  }

  #take(sizeBytes: number): number | undefined {
    if (this.#isBroken || this.#at + sizeBytes > this.#bytes.length) {
      this.#isBroken = true
      return undefined
    }
    this.#at += sizeBytes
    return this.#at - sizeBytes
  }
}
