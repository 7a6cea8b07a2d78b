/**
 * RecordIO, the framing of Mesos' streams: `record = 1*DIGIT LF OCTET{n}`, n in bytes, nothing
 * after the octets. A header that is no number ends the stream: there is no way back into step.
 *
 * **Source:** Apache Mesos `docs/recordio.md`, `3rdparty/stout/include/stout/recordio.hpp`
 */
import { NavstarError } from '../base/error.ts'

const LF = 0x0a
const ZERO = 0x30

/** The digits of 2^64, the longest length that Mesos can write. */
const MOST_DIGITS = 20

/** What a record that is not whole yet begins with, and by how much its room grows. */
const FIRST_ROOM_BYTES = 64 * 1024
const ROOM_GROWTH = 8

/** After so much has come its length is believed: from there on nothing is copied any more. */
const BELIEVED_AFTER_BYTES = 4 * 1024 * 1024

/** What bounds a {@link RecordioDecoder}. */
export interface RecordioLimits {
  /** The largest record, in bytes. */
  readonly maxRecordBytes: number
}

/**
 * Finds the records of a stream that comes in chunks split anywhere.
 *
 * Holds one record at most. A length alone reserves nothing: the room for a record grows with what
 * arrives of it.
 */
export class RecordioDecoder {
  readonly #maxRecordBytes: number
  #digits = 0
  #length = 0
  /** The record that has begun; undefined while its length is read. */
  #record: { room: Uint8Array; filled: number } | undefined
  #failure: NavstarError | undefined

  constructor({ maxRecordBytes }: RecordioLimits) {
    this.#maxRecordBytes = maxRecordBytes
  }

  /**
   * The records that end in this chunk. A record that lies within the chunk is a view of it.
   *
   * @throws NavstarError MESOS_RESPONSE_INVALID for what is no length, MESOS_RESPONSE_TOO_LARGE;
   *   the same again on every further chunk
   */
  push(chunk: Uint8Array): Uint8Array[] {
    if (this.#failure !== undefined) throw this.#failure
    const records: Uint8Array[] = []
    let at = 0
    while (at < chunk.length) {
      if (this.#record !== undefined) at += this.#fill(this.#record, chunk.subarray(at), records)
      else if (this.#readHeader(chunk[at++] ?? 0)) at += this.#begin(chunk, at, records)
    }
    return records
  }

  /** Takes one byte of a length. @returns whether the length is whole */
  #readHeader(byte: number): boolean {
    if (byte === LF && this.#digits > 0) return true
    const digit = byte - ZERO
    if (digit < 0 || digit > 9)
      throw this.#fail('MESOS_RESPONSE_INVALID', `byte ${byte} in a length`)
    if (++this.#digits > MOST_DIGITS) {
      throw this.#fail('MESOS_RESPONSE_INVALID', `a length of more than ${MOST_DIGITS} digits`)
    }
    this.#length = this.#length * 10 + digit
    return false
  }

  /** Begins the record whose length has been read. @returns how many bytes of it were taken */
  #begin(chunk: Uint8Array, at: number, records: Uint8Array[]): number {
    const length = this.#length
    this.#digits = 0
    this.#length = 0
    if (length > this.#maxRecordBytes) {
      throw this.#fail('MESOS_RESPONSE_TOO_LARGE', `a record of ${length} bytes`)
    }
    if (chunk.length - at >= length) {
      records.push(chunk.subarray(at, at + length))
      return length
    }
    this.#length = length
    this.#record = { room: new Uint8Array(Math.min(length, FIRST_ROOM_BYTES)), filled: 0 }
    return 0
  }

  /** Adds to the record that has begun. @returns how many bytes were taken */
  #fill(
    record: { room: Uint8Array; filled: number },
    rest: Uint8Array,
    records: Uint8Array[],
  ): number {
    const taken = rest.subarray(0, this.#length - record.filled)
    const filled = record.filled + taken.length
    if (filled > record.room.length) record.room = this.#grown(record, filled)
    record.room.set(taken, record.filled)
    record.filled = filled
    if (filled === this.#length) {
      records.push(record.room)
      this.#record = undefined
      this.#length = 0
    }
    return taken.length
  }

  #grown({ room, filled }: { room: Uint8Array; filled: number }, needed: number): Uint8Array {
    let sizeBytes = room.length
    while (sizeBytes < needed) {
      const isBelieved = sizeBytes >= BELIEVED_AFTER_BYTES
      sizeBytes = isBelieved ? this.#length : Math.min(sizeBytes * ROOM_GROWTH, this.#length)
    }
    let larger: Uint8Array
    try {
      // Not cleared: pages that no octet has come for yet are not even there.
      larger = Buffer.allocUnsafeSlow(sizeBytes)
    } catch (cause) {
      throw this.#fail('MESOS_RESPONSE_TOO_LARGE', `a record of ${this.#length} bytes`, cause)
    }
    larger.set(room.subarray(0, filled))
    return larger
  }

  #fail(
    code: 'MESOS_RESPONSE_INVALID' | 'MESOS_RESPONSE_TOO_LARGE',
    found: string,
    reason?: unknown,
  ): NavstarError {
    const attempt = `read a record of at most ${this.#maxRecordBytes} bytes`
    this.#record = undefined
    this.#failure = new NavstarError(code, { attempt, cause: new Error(found, { cause: reason }) })
    return this.#failure
  }
}
