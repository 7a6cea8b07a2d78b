/**
 * DNS messages on a stream: each behind its length in two bytes.
 *
 * **Source:** RFC 1035 §4.2.2, RFC 7766 §8
 */

/** Puts a message behind its length. */
export function frameOf(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(2 + message.length)
  frame.writeUInt16BE(message.length, 0)
  message.copy(frame, 2)
  return frame
}

/** Cuts a stream into messages; holds at most one unfinished message. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0)

  /** Takes the next bytes of the stream. @returns the messages they complete */
  push(chunk: Buffer): Buffer[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const messages: Buffer[] = []
    let at = 0
    while (bytes.length - at >= 2) {
      const end = at + 2 + bytes.readUInt16BE(at)
      if (end > bytes.length) break
      messages.push(bytes.subarray(at + 2, end))
      at = end
    }
    this.#rest = Buffer.from(bytes.subarray(at))
    return messages
  }
}
