/** Time as the daemon sees it; tests pass a virtual one. */
export interface Clock {
  /** Milliseconds that only grow; no relation to the date. */
  nowMs(): number
  /** Milliseconds since 1970; may jump. */
  wallMs(): number
  /** Waits; rejects with the signal's reason when aborted. */
  sleep(durationMs: number, options: { readonly signal: AbortSignal }): Promise<void>
  /** Calls `run` once after this long. @returns what cancels that */
  after(delayMs: number, run: () => void): () => void
}

/**
 * The machine's clock. An idle daemon does little else than wait: `setTimeout` of
 * `node:timers/promises` makes two errors with stacks for each wait that is aborted.
 */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  sleep: async (durationMs, { signal }) => {
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    }, durationMs)
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    await promise
  },
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}

/** A wall time as people read it: `2026-01-31T12:00:00.000Z`. */
export function wallText(wallMs: number): string {
  return new Date(wallMs).toISOString()
}
