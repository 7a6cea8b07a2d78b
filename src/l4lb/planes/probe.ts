/** Which planes work on this host, tried rather than guessed. */
import { messageOf, NavstarError } from '../../base/error.ts'
import type { PlaneKind } from '../plane.ts'

/** What trying a plane gave. */
export interface PlaneProbe {
  readonly kind: PlaneKind
  readonly isUsable: boolean
  /** Why not, or what it will do, e.g. `BPF programs load and attach to /sys/fs/cgroup`. */
  readonly reason: string
}

/** Tries one plane; throws with the reason when it does not work. */
export type PlaneTrial = () => Promise<string>

/** The planes in the order of preference: nothing per packet comes first. */
const PLANE_ORDER: readonly PlaneKind[] = ['ebpf', 'nftables']

/** Tries each plane. */
export async function probeEach(
  trials: Readonly<Record<PlaneKind, PlaneTrial>>,
): Promise<PlaneProbe[]> {
  const probes: PlaneProbe[] = []
  for (const kind of PLANE_ORDER) {
    try {
      probes.push({ kind, isUsable: true, reason: await trials[kind]() })
    } catch (error) {
      probes.push({ kind, isUsable: false, reason: messageOf(error) })
    }
  }
  return probes
}

/**
 * The plane to use.
 *
 * @param wanted `auto` takes the first usable one
 * @throws NavstarError `PLANE_UNAVAILABLE` with every plane's reason
 */
export function choosePlane(probes: readonly PlaneProbe[], wanted: 'auto' | PlaneKind): PlaneProbe {
  const eligible = probes.filter(({ kind }) => wanted === 'auto' || kind === wanted)
  const usable = eligible.find(({ isUsable }) => isUsable)
  if (usable !== undefined) return usable
  const cause = eligible.map(({ kind, reason }) => `${kind}: ${reason}`).join('; ')
  throw new NavstarError('PLANE_UNAVAILABLE', { attempt: `choose a plane (${wanted})`, cause })
}
