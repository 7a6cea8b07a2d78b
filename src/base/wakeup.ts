import type { Clock } from './clock.ts'

/** How a wait may end without a wake-up. */
export interface WaitOptions {
  readonly signal: AbortSignal
  /** Then the wait ends all the same. */
  readonly limit?: { readonly clock: Clock; readonly timeoutMs: number }
}

/**
 * A signal that coalesces: any number of {@link Wakeup.wake} calls before the next
 * {@link Wakeup.wait} count once. One waiter at a time.
 */
export class Wakeup {
  #isPending = false
  #resolve: (() => void) | undefined

  /** Wakes the waiter, or the next one. */
  wake(): void {
    this.#isPending = true
    this.#resolve?.()
  }

  /** Waits for a wake-up or the end of the time; returns at once when a wake-up is pending. */
  async wait({ signal, limit }: WaitOptions): Promise<void> {
    signal.throwIfAborted()
    if (!this.#isPending) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      this.#resolve = resolve
      const onAbort = () => reject(signal.reason)
      signal.addEventListener('abort', onAbort, { once: true })
      const cancel = limit?.clock.after(limit.timeoutMs, resolve)
      try {
        await promise
      } finally {
        cancel?.()
        signal.removeEventListener('abort', onAbort)
        this.#resolve = undefined
      }
    }
    this.#isPending = false
  }
}
