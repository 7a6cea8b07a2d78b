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

/**
 * The planes in the order of preference: nothing per packet comes first. IPVS comes last, so that
 * `auto` takes it only where no other plane works.
 */
export const PLANE_ORDER: readonly PlaneKind[] = ['ebpf', 'nftables', 'ipvs']

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

/** What was asked for. */
export interface PlaneWishes {
  /** What the configuration says; `auto` leaves it to the rest. */
  readonly configured: 'auto' | PlaneKind
  /** What a daemon was switched to while it ran. */
  readonly switched?: PlaneKind | undefined
}

/** A plane with the reason why it is the one. */
export interface PlaneChoice extends PlaneProbe {
  /** E.g. `the first that works here`. */
  readonly why: string
  /** A wish that does not count, and why. */
  readonly note?: string
}

/**
 * The plane to use: the configured one, else the one that was switched to, else the first that works.
 *
 * @throws NavstarError `PLANE_UNAVAILABLE` with every plane's reason
 */
export function choosePlane(
  probes: readonly PlaneProbe[],
  { configured, switched }: PlaneWishes,
): PlaneChoice {
  const usable = probes.filter(({ isUsable }) => isUsable)
  const [first] = usable
  const wished = usable.find(({ kind }) => kind === switched)
  if (configured === 'auto') {
    if (wished !== undefined) return { ...wished, why: 'navstar plane switch asked for it' }
    if (first === undefined) throw unavailable(probes, configured)
    const why = 'the first that works here'
    const lost = probes.find(({ kind }) => kind === switched)
    if (lost === undefined) return { ...first, why }
    const note = `${lost.kind}, which navstar plane switch asked for, does not work: ${lost.reason}`
    return { ...first, why, note }
  }
  const forced = usable.find(({ kind }) => kind === configured)
  const why = `--plane ${configured} asks for it`
  if (forced === undefined) {
    const named = probes.filter(({ kind }) => kind === configured)
    throw unavailable(named, configured)
  }
  if (switched === undefined || switched === configured) return { ...forced, why }
  const note = `navstar plane switch ${switched} does not count beside --plane ${configured}`
  return { ...forced, why, note }
}

function unavailable(probes: readonly PlaneProbe[], wanted: string): NavstarError {
  const cause = probes.map(({ kind, reason }) => `${kind}: ${reason}`).join('; ')
  return new NavstarError('PLANE_UNAVAILABLE', { attempt: `choose a plane (${wanted})`, cause })
}
