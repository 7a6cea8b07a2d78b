/** How each backend of a service stands, and why. */
import { type Backend, formatEndpoint, type Service } from '../../model/vip.ts'
import { type Ejection, type EndpointKey, endpointKeyOf } from '../health/health-engine.ts'
import type { TurnTimes } from './shaper.ts'

/** How a backend stands. */
export interface BackendStatus extends Pick<Backend, 'address' | 'port'> {
  /** `in`: new connections come; `draining`: its node says no more; `out`: this node says so. */
  readonly state: 'in' | 'draining' | 'out'
  /** One clause, e.g. `its task is being killed`. */
  readonly why: string
  /** The part of new connections that it gets, from 0 to 1, where backends are drawn by weight. */
  readonly share: number
  /** When it became so; absent when it was so before this daemon. */
  readonly sinceMs?: number
}

/** What {@link backendStatuses} judges by. */
export interface StatusGround {
  readonly wanted: Service
  readonly given: Service
  readonly isPanicking: boolean
  readonly turns: TurnTimes
  readonly ejected: ReadonlyMap<EndpointKey, Ejection>
}

/** The backends in the order of the service. */
export function backendStatuses(ground: StatusGround): readonly BackendStatus[] {
  const { wanted, given, ejected, turns } = ground
  const total = given.backends.reduce((sum, { weight }) => sum + weight, 0)
  return wanted.backends.map((backend, index) => {
    const weight = given.backends[index]?.weight ?? 0
    const ejection = ejected.get(endpointKeyOf(wanted.protocol, backend))
    const sinceMs = ejection?.sinceMs ?? turns.get(formatEndpoint(backend))
    return {
      address: backend.address,
      port: backend.port,
      ...judge({ backend, weight, ejection }, ground),
      share: weight === 0 ? 0 : weight / total,
      ...(sinceMs !== undefined && { sinceMs }),
    }
  })
}

interface Judged {
  /** As wanted. */
  readonly backend: Backend
  /** As given. */
  readonly weight: number
  readonly ejection: Ejection | undefined
}

function judge(
  { backend, weight, ejection }: Judged,
  { isPanicking, given, wanted }: StatusGround,
): Pick<BackendStatus, 'state' | 'why'> {
  if (backend.weight === 0) return { state: 'draining', why: whyDraining(backend) }
  if (weight === 0 && ejection === undefined) return { state: 'out', why: 'others are nearer' }
  if (weight === 0) return { state: 'out', why: ejection?.why ?? '' }
  if (ejection !== undefined && isPanicking) {
    return { state: 'in', why: `${ejection.why}, but most others fail too` }
  }
  const isWarming = given !== wanted && isBelowShare(backend, { given, wanted })
  return { state: 'in', why: isWarming ? 'it is new and starts slowly' : 'it is healthy' }
}

/** Whether its part is smaller than its weight says. */
function isBelowShare(
  backend: Backend,
  { given, wanted }: Pick<StatusGround, 'given' | 'wanted'>,
): boolean {
  const factors = wanted.backends.map(({ weight }, index) => {
    return weight === 0 ? 0 : (given.backends[index]?.weight ?? 0) / weight
  })
  const own = factors[wanted.backends.indexOf(backend)] ?? 0
  return own < Math.max(...factors)
}

function whyDraining({ drainReason }: Backend): string {
  switch (drainReason) {
    case 'killing':
      return 'its task is being killed'
    case 'unhealthy':
      return 'its health check says that it is unhealthy'
    case 'unchecked':
      return 'its health check has no result yet'
    case 'doubted':
      return 'its node is silent'
    case undefined:
      return 'its weight is 0'
    default:
      return drainReason satisfies never
  }
}
