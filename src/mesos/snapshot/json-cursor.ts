/** Reads JSON from its bytes without making values of what nobody asks for. */

/** Bytes that are no JSON. */
export class JsonError extends Error {
  override readonly name = 'JsonError'
}

/** Values nested deeper are refused; Mesos' own reach about thirty. */
export const MAX_DEPTH = 100

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** What a value begins with. */
export type ValueStart = 'object' | 'list' | 'text' | 'other'

/**
 * A place in JSON text. What is passed over is only looked at for its strings and brackets.
 */
export class JsonCursor {
  readonly #bytes: Buffer
  #at = 0
  #stepEnd: number
  readonly #stepBytes: number
  /** The closing brackets that are due. */
  readonly #due = new Uint8Array(MAX_DEPTH)
  #depth = 0

  /** @param stepBytes after so many bytes {@link isStepOver} */
  constructor(bytes: Uint8Array, stepBytes: number) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#stepBytes = stepBytes
    this.#stepEnd = stepBytes
  }

  /** Whether enough was read for now; the next step begins with the question. */
  isStepOver(): boolean {
    if (this.#at < this.#stepEnd) return false
    this.#stepEnd = this.#at + this.#stepBytes
    return true
  }

  /** What comes next. @throws JsonError at the end */
  next(): ValueStart {
    switch (this.#peek()) {
      case OPEN_OBJECT:
        return 'object'
      case OPEN_LIST:
        return 'list'
      case QUOTE:
        return 'text'
      default:
        return 'other'
    }
  }

  /** Enters an object or list. @returns whether it has a first entry */
  enter(): boolean {
    this.#open(this.#peek())
    if (this.#peek() !== this.#due[this.#depth - 1]) return true
    this.#close(this.#peek())
    return false
  }

  /** After an entry. @returns whether another follows; else the object or list is left */
  hasMore(): boolean {
    const byte = this.#peek()
    if (byte !== COMMA) {
      this.#close(byte)
      return false
    }
    this.#at++
    return true
  }

  /** The name of an object's entry. */
  key(): string {
    const key = this.text()
    if (this.#peek() !== COLON) throw this.#unexpected()
    this.#at++
    return key
  }

  /** A string. */
  text(): string {
    if (this.#peek() !== QUOTE) throw this.#unexpected()
    const start = this.#at
    const isPlain = this.#passString()
    if (isPlain) return this.#bytes.toString('utf8', start + 1, this.#at - 1)
    const text = this.#bytes.toString('utf8', start, this.#at)
    try {
      return JSON.parse(text) as string
    } catch (cause) {
      throw new JsonError('a string is malformed', { cause })
    }
  }

  /** A number, `true`, `false` or `null`. */
  other(): unknown {
    this.#peek()
    const start = this.#at
    this.#passWord()
    const word = this.#bytes.toString('latin1', start, this.#at)
    try {
      return JSON.parse(word) as unknown
    } catch (cause) {
      throw new JsonError('a value is malformed', { cause })
    }
  }

  /** How many objects and lists are open: the place that {@link pass} comes back to. */
  get depth(): number {
    return this.#depth
  }

  /**
   * Passes over a value.
   *
   * @param depth that of before the value
   * @returns false when the step was over first: the same call goes on with the value
   */
  pass(depth: number): boolean {
    do {
      this.#passToken(depth)
      if (this.#depth === depth) return true
    } while (this.#at < this.#stepEnd)
    return false
  }

  /** @throws JsonError unless nothing follows */
  finish(): void {
    this.#passSpace()
    if (this.#at < this.#bytes.length) throw this.#unexpected()
  }

  #passToken(depth: number): void {
    const byte = this.#peek()
    switch (byte) {
      case QUOTE:
        this.#passString()
        break
      case OPEN_OBJECT:
      case OPEN_LIST:
        this.#open(byte)
        break
      case COMMA:
      case COLON:
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        if (this.#depth === depth) throw this.#unexpected()
        if (byte === COMMA || byte === COLON) this.#at++
        else this.#close(byte)
        break
      default:
        this.#passWord()
    }
  }

  /** @returns whether the string is as it stands, without escapes */
  #passString(): boolean {
    const bytes = this.#bytes
    let isPlain = true
    let at = this.#at + 1
    for (; at < bytes.length; at++) {
      const byte = bytes[at]
      if (byte === QUOTE) break
      if (byte !== BACKSLASH) continue
      isPlain = false
      at++
    }
    if (at >= bytes.length) throw new JsonError('a string is cut off')
    this.#at = at + 1
    return isPlain
  }

  #passWord(): void {
    const start = this.#at
    while (this.#at < this.#bytes.length && isWord(this.#bytes[this.#at] ?? 0)) this.#at++
    if (this.#at === start) throw this.#unexpected()
  }

  #open(byte: number): void {
    if (byte !== OPEN_OBJECT && byte !== OPEN_LIST) throw this.#unexpected()
    if (this.#depth === MAX_DEPTH) throw new JsonError(`nested deeper than ${MAX_DEPTH}`)
    // In ASCII each closing bracket comes two after its opening one.
    this.#due[this.#depth++] = byte + 2
    this.#at++
  }

  #close(byte: number): void {
    if (this.#depth === 0 || byte !== this.#due[this.#depth - 1]) throw this.#unexpected()
    this.#depth--
    this.#at++
  }

  #peek(): number {
    this.#passSpace()
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw new JsonError('the text is cut off')
    return byte
  }

  #passSpace(): void {
    while (isSpace(this.#bytes[this.#at])) this.#at++
  }

  #unexpected(): JsonError {
    return new JsonError(`byte ${this.#bytes[this.#at]} at ${this.#at} is unexpected`)
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

/** Letters, digits, signs and the point: what numbers, truth values and null are made of. */
function isWord(byte: number): boolean {
  const letter = byte | 0x20
  if (letter >= 0x61 && letter <= 0x7a) return true
  return (byte >= 0x30 && byte <= 0x39) || byte === 0x2b || byte === 0x2d || byte === 0x2e
}
