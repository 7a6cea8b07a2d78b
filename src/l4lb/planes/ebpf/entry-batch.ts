import type { BpfMap } from '../../../kernel/bpf.ts'

/** A write or deletion that one operation of a batch needs. */
interface Entry {
  /** Index of the operation in the batch. */
  readonly operation: number
  readonly key: Uint8Array
  readonly value?: Uint8Array
}

const ENOENT = 2

/** Entries of one map, written or deleted in one call; those of failed operations are left out. */
export class EntryBatch {
  readonly #entries: Entry[] = []

  /** Adds a write. */
  put(operation: number, key: Uint8Array, value: Uint8Array): void {
    this.#entries.push({ operation, key, value })
  }

  /** Adds a deletion. */
  drop(operation: number, key: Uint8Array): void {
    this.#entries.push({ operation, key })
  }

  /** Writes what {@link EntryBatch.put} added. @param failures errno by operation; grows */
  async write(map: BpfMap, failures: Map<number, number>): Promise<void> {
    const entries = this.#live(failures)
    if (entries.length === 0) return
    const keys = pack(entries.map(({ key }) => key))
    const errnos = await map.update(
      keys,
      pack(entries.map(({ value }) => value ?? new Uint8Array())),
    )
    this.#note(entries, errnos, failures)
  }

  /** Deletes what {@link EntryBatch.write} may have written for operations that failed. */
  async revert(map: BpfMap, failures: ReadonlyMap<number, number>): Promise<void> {
    const entries = this.#entries.filter(({ operation }) => failures.has(operation))
    if (entries.length > 0) await map.delete(pack(entries.map(({ key }) => key)))
  }

  /** Deletes what {@link EntryBatch.drop} added; the missing is deleted already. */
  async delete(map: BpfMap, failures: Map<number, number>): Promise<void> {
    const entries = this.#live(failures)
    if (entries.length === 0) return
    const errnos = await map.delete(pack(entries.map(({ key }) => key)))
    this.#note(
      entries,
      errnos.map((errno) => (errno === ENOENT ? 0 : errno)),
      failures,
    )
  }

  #live(failures: ReadonlyMap<number, number>): Entry[] {
    return this.#entries.filter(({ operation }) => !failures.has(operation))
  }

  #note(entries: readonly Entry[], errnos: readonly number[], failures: Map<number, number>): void {
    errnos.forEach((errno, index) => {
      const entry = entries[index]
      if (errno !== 0 && entry !== undefined) failures.set(entry.operation, errno)
    })
  }
}

function pack(parts: readonly Uint8Array[]): Uint8Array {
  const packed = new Uint8Array(parts.reduce((total, part) => total + part.length, 0))
  let offset = 0
  for (const part of parts) {
    packed.set(part, offset)
    offset += part.length
  }
  return packed
}
