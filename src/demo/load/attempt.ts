/** A new connection and what became of it; times of the machine's monotonic clock. */
export interface Attempt {
  readonly startedMs: number
  readonly endedMs: number
  /** Who answered, e.g. `h2-web-1`. */
  readonly backend?: string
  /** Why nobody did, e.g. `TIMEOUT`, `EHOSTUNREACH`. */
  readonly failure?: string
}

/** The host of the backend that answered, e.g. `h2`; undefined when none did. */
export function answeringHost({ backend }: Attempt): string | undefined {
  return backend?.split('-')[0]
}

/** How many of the attempts each host answered. */
export function countByHost(attempts: readonly Attempt[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const host of attempts.map(answeringHost)) {
    if (host !== undefined) counts.set(host, (counts.get(host) ?? 0) + 1)
  }
  return counts
}
