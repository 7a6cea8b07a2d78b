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

  /** Waits for a wake-up; returns at once when one is pending. */
  async wait({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    signal.throwIfAborted()
    if (!this.#isPending) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      this.#resolve = resolve
      const onAbort = () => reject(signal.reason)
      signal.addEventListener('abort', onAbort, { once: true })
      await promise.finally(() => {
        signal.removeEventListener('abort', onAbort)
        this.#resolve = undefined
      })
    }
    this.#isPending = false
  }
}
