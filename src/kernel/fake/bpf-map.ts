/**
 * A BPF map in memory, for tests: what the kernel answers, without a kernel. The contract suite
 * runs against it and against real maps.
 */
import type { BpfEntries, BpfMap } from '../bpf.ts'

/** How a map is made. */
export interface FakeBpfMapShape {
  readonly keySize: number
  readonly valueSize: number
  readonly maxEntries: number
  /** An array map always holds all its entries; default: `hash`. */
  readonly kind?: 'hash' | 'array'
}

/** One entry that came, changed or went; without a value it was deleted. */
export interface FakeBpfWrite {
  readonly key: string
  readonly value?: string
}

const ENOENT = 2
const E2BIG = 7
const EINVAL = 22

/** What the kernel holds; any number of handles share it. Keys and values are hexadecimal. */
export class FakeBpfContent {
  readonly shape: FakeBpfMapShape
  readonly entries: Map<string, string> = new Map()
  readonly #listeners = new Set<(write: FakeBpfWrite) => void>()

  constructor(shape: FakeBpfMapShape) {
    this.shape = shape
    if (shape.kind !== 'array') return
    for (let index = 0; index < shape.maxEntries; index++) {
      this.entries.set(hexOf(Uint32Array.of(index)), '00'.repeat(shape.valueSize))
    }
  }

  /** Calls back after each entry that is written or deleted, in the order of the kernel. */
  onWrite(listener: (write: FakeBpfWrite) => void): void {
    this.#listeners.add(listener)
  }

  /** Writes or, without a value, deletes an entry behind the back of every handle. */
  edit(key: Uint8Array, value?: Uint8Array): void {
    if (value === undefined) this.remove(hexOf(key))
    else this.put(hexOf(key), hexOf(value))
  }

  /** @returns the errno, 0 for success */
  put(key: string, value: string): number {
    const { kind, maxEntries } = this.shape
    const isFull = kind === 'array' || this.entries.size >= maxEntries
    if (isFull && !this.entries.has(key)) return E2BIG
    this.entries.set(key, value)
    for (const listener of this.#listeners) listener({ key, value })
    return 0
  }

  /** @returns the errno, 0 for success */
  remove(key: string): number {
    if (this.shape.kind === 'array') return EINVAL
    if (!this.entries.delete(key)) return ENOENT
    for (const listener of this.#listeners) listener({ key })
    return 0
  }
}

/** A handle of a map, with its own record of what it wrote and read. */
export class FakeBpfMap implements BpfMap {
  readonly #content: FakeBpfContent
  /** What the last dump and our writes since make the content; undefined before the first. */
  #expected: Map<string, string> | undefined
  #isClosed = false

  constructor(content: FakeBpfContent) {
    this.#content = content
  }

  async update(keys: Uint8Array, values: Uint8Array): Promise<readonly number[]> {
    const [keyTexts, valueTexts] = [this.#cut(keys, 'keySize'), this.#cut(values, 'valueSize')]
    if (keyTexts.length !== valueTexts.length) throw refusal('BPF_SHAPE')
    return errnosOf(
      keyTexts.map((key, index) => {
        const value = valueTexts[index] ?? ''
        const errno = this.#content.put(key, value)
        if (errno === 0) this.#expected?.set(key, value)
        return errno
      }),
    )
  }

  async delete(keys: Uint8Array): Promise<readonly number[]> {
    return errnosOf(
      this.#cut(keys, 'keySize').map((key) => {
        const errno = this.#content.remove(key)
        if (errno === 0 || errno === ENOENT) this.#expected?.delete(key)
        return errno
      }),
    )
  }

  async dump(): Promise<BpfEntries> {
    this.#assertOpen()
    const { entries } = this.#content
    this.#expected = new Map(entries)
    return { keys: bytesOf([...entries.keys()]), values: bytesOf([...entries.values()]) }
  }

  async audit(): Promise<boolean> {
    this.#assertOpen()
    const { entries } = this.#content
    if (this.#expected?.size !== entries.size) return false
    for (const [key, value] of entries) if (this.#expected.get(key) !== value) return false
    return true
  }

  close(): void {
    this.#isClosed = true
  }

  #cut(packed: Uint8Array, size: 'keySize' | 'valueSize'): string[] {
    this.#assertOpen()
    const sizeBytes = this.#content.shape[size]
    if (packed.length % sizeBytes !== 0) throw refusal('BPF_SHAPE')
    return Array.from({ length: packed.length / sizeBytes }, (_, index) =>
      hexOf(packed.subarray(index * sizeBytes, (index + 1) * sizeBytes)),
    )
  }

  #assertOpen(): void {
    if (this.#isClosed) throw refusal('BPF_CLOSED')
  }
}

/** Nothing when all went well, as the native code answers. */
function errnosOf(errnos: readonly number[]): readonly number[] {
  return errnos.every((errno) => errno === 0) ? [] : errnos
}

function hexOf(bytes: ArrayBufferView): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

function bytesOf(texts: readonly string[]): Uint8Array {
  return new Uint8Array(Buffer.from(texts.join(''), 'hex'))
}

/** An error as the native code rejects with. */
function refusal(code: string): Error {
  return Object.assign(new Error(code), { code })
}
