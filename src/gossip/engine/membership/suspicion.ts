/**
 * How long a doubted node has to refute. **Source:** Lifeguard (arXiv 1707.00788) §IV-B
 */
import type { EngineSettings } from '../settings.ts'
import type { Accusation } from '../statements.ts'

/** A doubt about one incarnation of a node. */
export interface Suspicion {
  readonly accusations: readonly Accusation[]
  readonly sinceMs: number
  readonly isDead: boolean
}

/**
 * From the first accusation to the declaration of death: logarithmically shorter with each
 * further accuser.
 *
 * @returns milliseconds
 */
export function suspicionMs(
  settings: EngineSettings,
  { accusers, nodes }: { readonly accusers: number; readonly nodes: number },
): number {
  const minMs = settings.minSuspicionMs * Math.max(1, Math.log10(Math.max(1, nodes)))
  const maxMs = minMs * settings.suspicionFactor
  const expected = Math.max(1, Math.min(settings.maxAccusers, nodes - 2) - 1)
  const share = Math.log(Math.max(1, accusers)) / Math.log(expected + 1)
  return Math.max(minMs, maxMs - (maxMs - minMs) * share)
}
