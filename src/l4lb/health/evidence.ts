/**
 * What the connections of one backend tell of it. Good and bad are counted with a half-life, so that a
 * moment ago weighs more than a minute ago and nothing has to be reset.
 */

/** The counters of one backend, as the kernel has them now. */
export interface BackendCounters {
  /** Connections that were established, ever. */
  readonly connections: number
  /** Connections that were refused or never answered, ever. */
  readonly failures: number
  /** Connections that wait for an answer now. */
  readonly pending: number
}

/** Evidence so far; {@link gather} returns the next. */
export interface Evidence {
  readonly counters: BackendCounters
  readonly atMs: number
  readonly good: number
  readonly bad: number
}

const HALF_LIFE_MS = 1_000

/** The evidence after the first look: nothing is known of what was before. */
export function firstEvidence(counters: BackendCounters, atMs: number): Evidence {
  return { counters, atMs, good: 0, bad: 0 }
}

/**
 * Adds what happened since the last look. A connection that waited at the last look, waits still, while
 * nobody else got through, is bad at each look: the kernel tells of it only after a second and more.
 */
export function gather(before: Evidence, counters: BackendCounters, atMs: number): Evidence {
  const isReset =
    counters.connections < before.counters.connections ||
    counters.failures < before.counters.failures
  if (isReset) return firstEvidence(counters, atMs)
  const established = counters.connections - before.counters.connections
  const failed = counters.failures - before.counters.failures
  const waiting = Math.min(counters.pending, before.counters.pending)
  const stuck = established === 0 ? Math.min(waiting, MOST_STUCK) : 0
  const fade = 2 ** (-(atMs - before.atMs) / HALF_LIFE_MS)
  return {
    counters,
    atMs,
    good: before.good * fade + established,
    bad: before.bad * fade + failed + stuck,
  }
}

/** A crowd that waits says little more than a few. */
const MOST_STUCK = 3

/** Whether the backend should take no new connections. @param needed how much bad it takes */
export function isFailing({ good, bad }: Evidence, needed: number): boolean {
  return bad >= needed && bad >= good
}
