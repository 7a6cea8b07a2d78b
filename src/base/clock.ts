import { setTimeout as sleepFor } from 'node:timers/promises'

/** Time as the daemon sees it; tests pass a virtual one. */
export interface Clock {
  /** Milliseconds that only grow; no relation to the date. */
  nowMs(): number
  /** Milliseconds since 1970; may jump. */
  wallMs(): number
  /** Waits; rejects with the signal's reason when aborted. */
  sleep(durationMs: number, options: { readonly signal: AbortSignal }): Promise<void>
}

/** The machine's clock. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  sleep: async (durationMs, { signal }) => {
    await sleepFor(durationMs, undefined, { signal })
  },
}

/** A wall time as people read it: `2026-01-31T12:00:00.000Z`. */
export function wallText(wallMs: number): string {
  return new Date(wallMs).toISOString()
}
