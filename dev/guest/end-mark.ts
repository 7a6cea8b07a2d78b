/** Finds the end of a guest's output, which is on a line that never ends by itself. */
import { Transform, type TransformCallback } from 'node:stream'

/**
 * Passes bytes on until the end mark, which tells the command's exit code.
 *
 * Bytes are held back only while they may be the beginning of the mark, so that a line is seen as
 * soon as it is written.
 */
export class EndMark extends Transform {
  /** The exit code; never settles when the guest dies without telling. */
  readonly code: Promise<number>
  readonly #told: (code: number) => void
  readonly #mark: Buffer
  #held: Buffer = Buffer.alloc(0)
  #isMarkSeen = false

  /** @param mark a text that no command writes; its first character occurs in it once */
  constructor(mark: string) {
    super()
    const { promise, resolve } = Promise.withResolvers<number>()
    this.code = promise
    this.#told = resolve
    this.#mark = Buffer.from(mark)
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    const bytes = Buffer.concat([this.#held, chunk])
    const passed = this.#isMarkSeen ? 0 : this.#lengthBeforeMark(bytes)
    this.#held = bytes.subarray(passed)
    if (this.#isMarkSeen) this.#readCode()
    done(null, bytes.subarray(0, passed))
  }

  override _flush(done: TransformCallback): void {
    done(null, this.#isMarkSeen ? Buffer.alloc(0) : this.#held)
  }

  #lengthBeforeMark(bytes: Buffer): number {
    const at = bytes.indexOf(this.#mark)
    this.#isMarkSeen = at >= 0
    if (at >= 0) return at
    const begin = bytes.lastIndexOf(this.#mark.subarray(0, 1))
    if (begin < 0) return bytes.length
    const tail = bytes.subarray(begin)
    return tail.equals(this.#mark.subarray(0, tail.length)) ? begin : bytes.length
  }

  #readCode(): void {
    const line = this.#held.subarray(this.#mark.length).toString()
    if (line.includes('\n')) this.#told(Number.parseInt(line, 10))
  }
}
