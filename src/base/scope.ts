/** Anything with a lifetime that someone must end. */
export interface Closeable {
  close(): void | Promise<void>
}

/**
 * A set of lifetimes that end together, last opened first. Work that runs beside the caller is
 * given to a scope instead of floating.
 */
export class Scope implements Closeable {
  readonly #abort = new AbortController()
  readonly #onError: (error: unknown) => void
  readonly #endings: (() => void | Promise<void>)[] = []
  readonly #running = new Set<Promise<void>>()

  /** @param onError receives what background work throws, aborts excepted */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  /** Aborted when the scope closes. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Closes `closeable` with the scope. @returns it */
  own<T extends Closeable>(closeable: T): T {
    this.#endings.push(() => closeable.close())
    return closeable
  }

  /** Calls `ending` when the scope closes. */
  defer(ending: () => void | Promise<void>): void {
    this.#endings.push(ending)
  }

  /** Runs work beside the caller until it ends or the scope closes. */
  run(work: (signal: AbortSignal) => Promise<void>): void {
    const running = work(this.signal).catch((error: unknown) => {
      if (!this.signal.aborted) this.#onError(error)
    })
    this.#running.add(running)
    void running.finally(() => this.#running.delete(running))
  }

  /** Aborts the work, waits for it, then ends what is owned; never stops at the first failure. */
  async close(): Promise<void> {
    this.#abort.abort(new Error('scope closed'))
    await Promise.all(this.#running)
    for (let ending = this.#endings.pop(); ending !== undefined; ending = this.#endings.pop()) {
      try {
        await ending()
      } catch (error) {
        this.#onError(error)
      }
    }
  }
}
