import { Map as ImmutableMap } from 'immutable'

/** An immutable picture of a table at one revision. */
export interface Snapshot<K extends string, V> {
  /** Grows by one with each change. */
  readonly revision: number
  readonly rows: ImmutableMap<K, V>
  /** False until the source has delivered everything once: nothing may be pruned before. */
  readonly isComplete: boolean
}

/** What one revision changed. */
export interface TableChange<K extends string, V> {
  readonly snapshot: Snapshot<K, V>
  /** Keys that were added, replaced or removed. */
  readonly keys: ReadonlySet<K>
}

/** Called after each revision, in order. */
export type TableListener<K extends string, V> = (change: TableChange<K, V>) => void

/**
 * What crosses between capabilities: an immutable map with a revision and a signal.
 * One writer calls {@link Table.update}; readers take snapshots.
 */
export class Table<K extends string, V> {
  #snapshot: Snapshot<K, V> = { revision: 0, rows: ImmutableMap<K, V>(), isComplete: false }
  readonly #listeners = new Set<TableListener<K, V>>()

  get snapshot(): Snapshot<K, V> {
    return this.#snapshot
  }

  /**
   * Applies changes as one revision; `undefined` removes a row. Rows that are already so
   * (by identity) do not count; without a change there is no revision.
   *
   * @param isComplete true once the source has delivered everything
   */
  update(
    changes: Iterable<readonly [K, V | undefined]>,
    isComplete: boolean = this.#snapshot.isComplete,
  ): void {
    const before = this.#snapshot
    const keys = new Set<K>()
    const rows = before.rows.withMutations((mutable) => {
      for (const [key, row] of changes) {
        if (mutable.get(key) === row) continue
        keys.add(key)
        if (row === undefined) mutable.delete(key)
        else mutable.set(key, row)
      }
    })
    if (keys.size === 0 && isComplete === before.isComplete) return
    this.#snapshot = { revision: before.revision + 1, rows, isComplete }
    for (const listener of this.#listeners) listener({ snapshot: this.#snapshot, keys })
  }

  /** Makes the rows equal to `rows`, complete, as one revision. */
  replace(rows: ReadonlyMap<K, V>): void {
    const removed = [...this.#snapshot.rows.keys()].filter((key) => !rows.has(key))
    this.update([...rows, ...removed.map((key) => [key, undefined] as const)], true)
  }

  /** Listens to changes from now on. @returns a function that ends it */
  onChange(listener: TableListener<K, V>): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
