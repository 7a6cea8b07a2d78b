import type { Random } from './random.ts'

/** How waits grow while something fails. */
export interface BackoffPolicy {
  readonly baseMs: number
  readonly maxMs: number
}

/**
 * The wait before attempt `failures + 1`: the base doubled per failure up to the maximum, then
 * spread over its upper half so that nodes do not march in step.
 *
 * @param failures failures in a row, 0 for none
 */
export function backoffMs(policy: BackoffPolicy, failures: number, random: Random): number {
  const ceilingMs = Math.min(policy.maxMs, policy.baseMs * 2 ** Math.min(failures, 30))
  return ceilingMs * (0.5 + random.next() / 2)
}
