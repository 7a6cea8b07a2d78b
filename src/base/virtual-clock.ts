import type { Clock } from './clock.ts'

interface Sleeper {
  readonly dueMs: number
  readonly wake: () => void
}

/** A clock that stands still until {@link VirtualClock.advance} moves it. */
export class VirtualClock implements Clock {
  #nowMs = 0
  readonly #sleepers = new Set<Sleeper>()

  nowMs(): number {
    return this.#nowMs
  }

  wallMs(): number {
    return 1_700_000_000_000 + this.#nowMs
  }

  /** How many callers sleep now. */
  get sleeperCount(): number {
    return this.#sleepers.size
  }

  sleep(durationMs: number, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const sleeper = { dueMs: this.#nowMs + durationMs, wake: resolve }
    this.#sleepers.add(sleeper)
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    return promise.finally(() => {
      this.#sleepers.delete(sleeper)
      signal.removeEventListener('abort', onAbort)
    })
  }

  after(delayMs: number, run: () => void): () => void {
    const sleeper = { dueMs: this.#nowMs + delayMs, wake: run }
    this.#sleepers.add(sleeper)
    return () => void this.#sleepers.delete(sleeper)
  }

  /** Moves time forward, waking sleepers in the order in which they are due. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs
    await settle()
    for (let next = this.#nextBefore(endMs); next !== undefined; next = this.#nextBefore(endMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.dueMs)
      this.#sleepers.delete(next)
      next.wake()
      await settle()
    }
    this.#nowMs = endMs
  }

  /** The process stood still meanwhile: all that is due is woken at once, before any I/O is read. */
  leap(durationMs: number): void {
    this.#nowMs += durationMs
    const due = [...this.#sleepers].filter((sleeper) => sleeper.dueMs <= this.#nowMs)
    for (const sleeper of due.sort((left, right) => left.dueMs - right.dueMs)) {
      this.#sleepers.delete(sleeper)
      sleeper.wake()
    }
  }

  #nextBefore(endMs: number): Sleeper | undefined {
    const due = [...this.#sleepers].filter((sleeper) => sleeper.dueMs <= endMs)
    return due.sort((left, right) => left.dueMs - right.dueMs)[0]
  }
}

/** Lets every promise that can go on do so. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
}
