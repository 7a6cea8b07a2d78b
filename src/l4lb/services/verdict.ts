/**
 * What becomes of a connection or datagram, as every plane must decide it: a pure function of the
 * services. Planes are compared with it (test/conformance).
 */
import type { Ip } from '../../model/ip.ts'
import { type Backend, formatEndpoint, type Service, type ServiceAddress } from '../../model/vip.ts'

/** What is judged. */
export interface Attempt extends ServiceAddress {
  /** The backend that this client had from the service, where there is affinity. */
  readonly kept?: Pick<Backend, 'address' | 'port'>
}

/** What the services are. */
export interface VerdictGround {
  readonly serviceAt: (address: ServiceAddress) => Service | undefined
  /** Whether the address can only be a VIP's. */
  readonly isInRange: (address: Ip) => boolean
  /** Open connections of a backend; default: none. */
  readonly openConnections?: (service: Service, backend: Backend) => number
}

/** What must happen. */
export type Verdict =
  /** It goes where it went without us. */
  | { readonly kind: 'untouched' }
  | { readonly kind: 'refused'; readonly why: string }
  /** To one of these: the parts, which sum to 1, hold where shares are by weight, and for many clients. */
  | { readonly kind: 'balanced'; readonly shares: ReadonlyMap<string, number> }

/** Judges an attempt. */
export function judge(attempt: Attempt, ground: VerdictGround): Verdict {
  const service = ground.serviceAt(attempt)
  if (service === undefined) {
    if (!ground.isInRange(attempt.address)) return { kind: 'untouched' }
    return { kind: 'refused', why: 'the address is of a VIP block, but no VIP' }
  }
  const takers = service.backends.filter((backend) => canTake(service, backend, ground))
  if (takers.length === 0) return { kind: 'refused', why: whyNobody(service) }
  const kept = attempt.kept && takers.find((each) => isSameEndpoint(each, attempt.kept))
  const chosen = kept === undefined ? takers : [kept]
  const total = chosen.reduce((sum, { weight }) => sum + weight, 0)
  const shares = chosen.map((each) => [formatEndpoint(each), each.weight / total] as const)
  return { kind: 'balanced', shares: new Map(shares) }
}

function canTake(service: Service, backend: Backend, { openConnections }: VerdictGround): boolean {
  const limit = service.options?.connectionLimit
  const isFull = limit !== undefined && (openConnections?.(service, backend) ?? 0) >= limit
  return backend.weight > 0 && !isFull
}

function whyNobody({ backends }: Service): string {
  if (backends.length === 0) return 'the VIP has no backend'
  const isDraining = backends.every(({ weight }) => weight === 0)
  return isDraining ? 'all its backends drain or are out' : 'all its backends are full'
}

function isSameEndpoint(
  one: Pick<Backend, 'address' | 'port'>,
  other: Pick<Backend, 'address' | 'port'> | undefined,
): boolean {
  return one.address === other?.address && one.port === other.port
}
