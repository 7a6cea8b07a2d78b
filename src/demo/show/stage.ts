/** What every act of the demo has at hand. */
import type { Cluster } from '../cluster/cluster.ts'
import type { ClusterHost } from '../host/cluster-host.ts'

/** A cluster whose daemons run, and where to say what happens. */
export interface Stage {
  readonly cluster: Cluster
  /** Where the load comes from. */
  readonly first: ClusterHost
  /** The VIP by address, e.g. `http://11.225.36.193/`. */
  readonly url: string
  readonly print: (line: string) => void
}

/** By what a bound is missed; undefined: it is kept. */
export type Miss = string | undefined

/** Checks that something took no longer than its bound. @returns the sentence that says so if not */
export function missed(what: string, tookMs: number | undefined, boundMs: number): Miss {
  if (tookMs !== undefined && tookMs <= boundMs) return undefined
  const took = tookMs === undefined ? 'did not come about' : `took ${Math.round(tookMs)} ms`
  return `MISSED: ${what} ${took}; it should take less than ${boundMs} ms`
}

/** Milliseconds as text, e.g. `412 ms`, `2.1 s`. */
export function durationText(durationMs: number): string {
  return durationMs < 1000 ? `${Math.round(durationMs)} ms` : `${(durationMs / 1000).toFixed(1)} s`
}

/** Counts by name, e.g. `h1 334, h2 333`. */
export function countsText(counts: Iterable<readonly [string, number]>): string {
  const parts = [...counts].sort(([left], [right]) => order(left, right))
  return parts.map(([name, count]) => `${name} ${count}`).join(', ') || 'none'
}

function order(left: string, right: string): number {
  return left.localeCompare(right, 'en', { numeric: true })
}
