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
  /** How long connections have waited while nobody got through; 0: they do not. */
  readonly silentMs: number
  /** Connections that hung already when it last came back: they say nothing of it since. */
  readonly hungBefore: number
}

const HALF_LIFE_MS = 1_000

/** The evidence after it answered a probe: what is older counts no more. */
export function freshEvidence({ counters, atMs }: Evidence): Evidence {
  return { ...firstEvidence(counters, atMs), hungBefore: counters.pending }
}

/** The evidence after the first look: nothing is known of what was before. */
export function firstEvidence(counters: BackendCounters, atMs: number): Evidence {
  return { counters, atMs, good: 0, bad: 0, silentMs: 0, hungBefore: 0 }
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
  const hungBefore = Math.min(before.hungBefore, counters.pending)
  const waiting = Math.min(counters.pending, before.counters.pending) - hungBefore
  const stuck = established === 0 ? Math.min(waiting, MOST_STUCK) : 0
  const passedMs = atMs - before.atMs
  const fade = 2 ** (-passedMs / HALF_LIFE_MS)
  return {
    counters,
    atMs,
    good: before.good * fade + established,
    bad: before.bad * fade + failed + stuck,
    silentMs: stuck === MOST_STUCK ? before.silentMs + passedMs : 0,
    hungBefore,
  }
}

/** A crowd that waits says little more than a few. */
const MOST_STUCK = 3

/** Where many connect all the time, so long a silence is no chance: a SYN is answered in a few ms. */
const SILENCE_MS = 200

/**
 * Whether the backend should take no new connections: most of the recent ones failed, or several wait
 * and all at once nobody gets through any more, however many did just before.
 *
 * @param needed how much bad it takes
 */
export function isFailing({ good, bad, silentMs }: Evidence, needed: number): boolean {
  return bad >= needed && (bad >= good || silentMs >= SILENCE_MS)
}
