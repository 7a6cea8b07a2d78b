/**
 * The incarnations and versions that this node may have used. They are reserved in strides before
 * use, so that none is used twice even when the node is killed and its clock goes back.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../base/error.ts'
import type { Log } from '../../base/log.ts'
import { replaceFileNow } from '../../base/replace-file.ts'

/** The incarnation of a node and the version of its records. */
export interface Counters {
  readonly incarnation: number
  readonly version: number
}

/** How far ahead is reserved: after as many uses the file is written again. */
const STRIDE: Counters = { incarnation: 64, version: 65_536 }

/** Versions per second that the date leaves room for. */
const VERSIONS_PER_SECOND = 2 ** 20

/** Reserves incarnations and versions; without a file only the date keeps them apart. */
export class ReservedCounters {
  readonly #path: string | undefined
  readonly #log: Log
  #reserved: Counters
  #isWritable = true

  private constructor(path: string | undefined, log: Log, reserved: Counters) {
    this.#path = path
    this.#log = log
    this.#reserved = reserved
  }

  /**
   * Reads what was reserved. A file that cannot be read is passed over: the date alone is enough
   * unless the clock went back.
   */
  static async open(directory: string | undefined, log: Log): Promise<ReservedCounters> {
    const path = directory === undefined ? undefined : join(directory, 'counters.json')
    const none: Counters = { incarnation: 0, version: 0 }
    if (path === undefined) return new ReservedCounters(path, log, none)
    try {
      const reserved = parse(await readFile(path, 'utf8'))
      return new ReservedCounters(path, log, reserved)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        log.warn('ignores a broken file of counters', { path, cause: messageOf(error) })
      return new ReservedCounters(path, log, none)
    }
  }

  /** The first to use in this life: made of the date, or above everything used before. */
  first(wallMs: number): Counters {
    const seconds = Math.max(1, Math.floor(wallMs / 1000))
    const first = {
      incarnation: Math.max(seconds, this.#reserved.incarnation + 1),
      version: Math.max(seconds * VERSIONS_PER_SECOND, this.#reserved.version + 1),
    }
    this.cover(first)
    return first
  }

  /** Makes sure that these are reserved; called before anybody is told of them. */
  cover({ incarnation, version }: Counters): void {
    const reserved = this.#reserved
    if (incarnation <= reserved.incarnation && version <= reserved.version) return
    this.#reserved = {
      incarnation: Math.max(reserved.incarnation, incarnation + STRIDE.incarnation),
      version: Math.max(reserved.version, version + STRIDE.version),
    }
    if (this.#path === undefined) return
    try {
      replaceFileNow(this.#path, JSON.stringify({ format: 1, ...this.#reserved }))
      this.#isWritable = true
    } catch (error) {
      const fields = { path: this.#path, cause: messageOf(error) }
      if (this.#isWritable) this.#log.warn('cannot keep counters; relies on the date', fields)
      this.#isWritable = false
    }
  }
}

function parse(text: string): Counters {
  const { incarnation, version } = JSON.parse(text) as Partial<Counters>
  if (!isCounter(incarnation) || !isCounter(version)) throw new Error('no counters')
  return { incarnation, version }
}

function isCounter(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 52
}
