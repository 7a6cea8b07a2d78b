import { lacksOf } from './lacks.ts'
import { type OpenPlaneOptions, openPlaneReadOnly } from './open.ts'
import type { PlaneProbe } from './probe.ts'

/** A plane as this host has it. */
export interface PlaneDescription extends PlaneProbe {
  /** What it leaves out though it works, e.g. `algorithms rr, maglev`. */
  readonly lacks: readonly string[]
}

/** What each plane does and lacks; changes nothing. */
export function describePlanes(
  probes: readonly PlaneProbe[],
  options: OpenPlaneOptions,
): Promise<readonly PlaneDescription[]> {
  return Promise.all(
    probes.map(async (probe) => {
      if (!probe.isUsable) return { ...probe, lacks: [] }
      const plane = await openPlaneReadOnly(probe.kind, options)
      try {
        return { ...probe, lacks: lacksOf(plane) }
      } finally {
        await plane.close()
      }
    }),
  )
}
