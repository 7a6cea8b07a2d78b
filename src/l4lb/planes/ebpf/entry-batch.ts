import type { BpfMap } from '../../../kernel/bpf.ts'

const ENOENT = 2

/** Entries of one map, written or deleted in one call; those of failed operations are left out. */
export class EntryBatch {
  /** Index in the batch's operations of the one that needs each entry. */
  readonly #operations: number[] = []
  readonly #keys = new PackedBytes()
  readonly #values = new PackedBytes()

  /** Adds a write. */
  put(operation: number, key: Uint8Array, value: Uint8Array): void {
    this.#operations.push(operation)
    this.#keys.append(key)
    this.#values.append(value)
  }

  /** Adds a deletion. */
  drop(operation: number, key: Uint8Array): void {
    this.#operations.push(operation)
    this.#keys.append(key)
  }

  /** Writes what {@link EntryBatch.put} added. @param failures errno by operation; grows */
  async write(map: BpfMap, failures: Map<number, number>): Promise<void> {
    const live = this.#live(failures)
    if (live.length === 0) return
    const errnos = await map.update(this.#keys.select(live), this.#values.select(live))
    this.#note(live, errnos, failures)
  }

  /** Deletes what {@link EntryBatch.write} may have written for operations that failed. */
  async revert(map: BpfMap, failures: ReadonlyMap<number, number>): Promise<void> {
    const failed = this.#positions((operation) => failures.has(operation))
    if (failed.length > 0) await map.delete(this.#keys.select(failed))
  }

  /** Deletes what {@link EntryBatch.drop} added; the missing is deleted already. */
  async delete(map: BpfMap, failures: Map<number, number>): Promise<void> {
    const live = this.#live(failures)
    if (live.length === 0) return
    const errnos = await map.delete(this.#keys.select(live))
    this.#note(
      live,
      errnos.map((errno) => (errno === ENOENT ? 0 : errno)),
      failures,
    )
  }

  /** Entries whose operation has not failed. */
  #live(failures: ReadonlyMap<number, number>): number[] {
    return this.#positions((operation) => !failures.has(operation))
  }

  #positions(isWanted: (operation: number) => boolean): number[] {
    const positions: number[] = []
    this.#operations.forEach((operation, position) => {
      if (isWanted(operation)) positions.push(position)
    })
    return positions
  }

  #note(live: readonly number[], errnos: readonly number[], failures: Map<number, number>): void {
    errnos.forEach((errno, index) => {
      const operation = this.#operations[live[index] ?? -1]
      if (errno !== 0 && operation !== undefined) failures.set(operation, errno)
    })
  }
}

/** Byte strings of one length, packed as they come: a small array each would be kept until the end. */
class PackedBytes {
  #bytes = new Uint8Array(1024)
  #length = 0
  #count = 0

  append(part: Uint8Array): void {
    if (this.#length + part.length > this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2)
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    this.#bytes.set(part, this.#length)
    this.#length += part.length
    this.#count++
  }

  /** The strings at these positions, in ascending order. */
  select(positions: readonly number[]): Uint8Array {
    const all = this.#bytes.subarray(0, this.#length)
    if (positions.length === this.#count) return all
    const size = this.#length / this.#count
    return Buffer.concat(positions.map((at) => all.subarray(at * size, (at + 1) * size)))
  }
}
