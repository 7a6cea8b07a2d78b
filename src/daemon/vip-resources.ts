/** What the daemon tells of VIPs over HTTP; the CLI prints the same. */
import type { Resources } from '../admin/admin.ts'
import { NavstarError } from '../base/error.ts'
import type { BackendStatistics, L4lb, ServiceStatus } from '../l4lb/l4lb.ts'
import { formatEndpoint, serviceKeyOf } from '../model/vip.ts'
import { formatOptions } from '../model/vip-options.ts'
import { type ProblemView, problemView } from './problem.ts'

/** A VIP as `navstar vips` shows it. */
export interface VipView {
  /** Full DNS name, for named VIPs. */
  readonly name?: string
  /** `tcp` or `udp`. */
  readonly protocol: string
  /** Address and port, e.g. `11.0.0.37:80`. */
  readonly address: string
  /** `served`, `pending` or `failed`. */
  readonly state: string
  /** An address that the name had before; served while its connections drain. */
  readonly isFormer?: true
  readonly error?: ProblemView
  readonly backends: readonly {
    readonly address: string
    readonly weight: number
    readonly state: string
  }[]
}

/** The answer of `/v1/navstar/vips`. */
export interface VipsView {
  readonly plane: string
  readonly isComplete: boolean
  readonly vips: readonly VipView[]
  readonly problems: readonly ProblemView[]
}

/** A backend as `navstar vips show` shows it; what the plane does not count is absent. */
export interface BackendView extends Omit<BackendStatistics, 'address' | 'port'> {
  /** Address and port. */
  readonly address: string
  /** `in`, `draining` or `out`. */
  readonly state: string
  readonly why: string
  /** From 0 to 1. */
  readonly share: number
  /** Seconds that it has been so; absent when longer than the daemon runs. */
  readonly forSeconds?: number
}

/** A VIP with all that is known of it. */
export interface VipDetails extends Omit<VipView, 'backends'> {
  /** E.g. `algorithm=maglev drain=30`; empty for none. */
  readonly options: string
  /** Options that this node's plane serves without, each with the reason. */
  readonly unsupported: readonly string[]
  readonly backends: readonly BackendView[]
}

/** The answer of `/v1/navstar/vips/show?name=…`. */
export interface VipDetailsView {
  readonly plane: string
  readonly vips: readonly VipDetails[]
}

/** What is told about. */
export interface VipParts {
  readonly l4lb: L4lb
  /** Where named VIPs are, e.g. `l4lb.thisdcos.directory`. */
  readonly zone: string
  /** What of this node's tasks or of others' records cannot be used. */
  readonly problems: () => readonly NavstarError[]
  readonly nowMs: () => number
}

/** The resources about VIPs. */
export function vipResources(parts: VipParts): Resources {
  return {
    '/v1/navstar/vips': () => vipsView(parts),
    '/v1/navstar/vips/show': (query) => detailsView(parts, query.get('name') ?? ''),
  }
}

function vipsView({ l4lb, zone, problems: others }: VipParts): VipsView {
  const { rows, isComplete } = l4lb.services.snapshot
  const statuses = [...rows.keys()].map((key) => l4lb.statusOf(key))
  const vips = statuses
    .filter((status) => status !== undefined)
    .map((status) => vipView(status, zone))
  const problems = [...others(), ...l4lb.problems()].map(problemView)
  return { plane: l4lb.planeKind, isComplete, vips: vips.sort(byName), problems }
}

function vipView(status: ServiceStatus, zone: string): VipView {
  return {
    ...headView(status, zone),
    backends: status.service.backends.map(({ weight, ...endpoint }) => ({
      address: formatEndpoint(endpoint),
      weight,
      state: weight > 0 ? 'active' : 'draining',
    })),
  }
}

function headView(
  { service, isServed, error }: ServiceStatus,
  zone: string,
): Omit<VipView, 'backends'> {
  const state = isServed ? 'served' : error === undefined ? 'pending' : 'failed'
  return {
    ...(service.name !== undefined && { name: `${service.name}.${zone}` }),
    protocol: service.protocol,
    address: formatEndpoint(service),
    state,
    ...(service.isFormer && { isFormer: true }),
    ...(error !== undefined && { error: problemView(error) }),
  }
}

async function detailsView(parts: VipParts, wanted: string): Promise<VipDetailsView> {
  const { l4lb, zone } = parts
  const statuses = [...l4lb.services.snapshot.rows]
    .filter(([, service]) => {
      const names = [formatEndpoint(service), service.address, service.name]
      return names.includes(wanted) || isNamed(service.name, { wanted, zone })
    })
    .map(([key]) => l4lb.statusOf(key))
    .filter((status) => status !== undefined)
  const attempt = `find a VIP '${wanted.slice(0, 120)}'`
  if (statuses.length === 0) throw new NavstarError('VIP_UNKNOWN', { attempt })
  const statistics = await l4lb.statistics()
  const vips = statuses.map((status) => {
    const counted = statistics.get(serviceKeyOf(status.service)) ?? []
    return detailsOf(parts, status, counted)
  })
  return { plane: l4lb.planeKind, vips: vips.sort(byName) }
}

/** `web` and `web.marathon` mean `web.marathon.l4lb.thisdcos.directory` too. */
function isNamed(
  name: string | undefined,
  { wanted, zone }: { readonly wanted: string; readonly zone: string },
): boolean {
  if (name === undefined) return false
  return wanted === `${name}.${zone}` || name.startsWith(`${wanted}.`)
}

function detailsOf(
  { l4lb, zone, nowMs }: VipParts,
  status: ServiceStatus,
  counted: readonly BackendStatistics[],
): VipDetails {
  const { service } = status
  const byEndpoint = new Map(counted.map((row) => [formatEndpoint(row), row] as const))
  return {
    ...headView(status, zone),
    options: formatOptions(service.options),
    unsupported: l4lb.unsupported(service).map(({ name, reason }) => `${name}: ${reason}`),
    backends: l4lb.backendsOf(serviceKeyOf(service)).map((backend) => {
      const { sinceMs, state, why, share } = backend
      const address = formatEndpoint(backend)
      const forSeconds = sinceMs === undefined ? undefined : Math.round((nowMs() - sinceMs) / 1000)
      return {
        ...{ address, state, why, share },
        ...(forSeconds !== undefined && { forSeconds }),
        ...countersOf(byEndpoint.get(address)),
      }
    }),
  }
}

const COUNTERS = [
  'connections',
  'activeConnections',
  'pendingConnections',
  'failures',
  'retransmits',
  'bytesToBackend',
  'bytesFromBackend',
  'connectTimes',
] as const

function countersOf(
  row: BackendStatistics | undefined,
): Omit<BackendStatistics, 'address' | 'port'> {
  const found = COUNTERS.filter((name) => row?.[name] !== undefined)
  return Object.fromEntries(found.map((name) => [name, row?.[name]]))
}

function byName(left: Omit<VipView, 'backends'>, right: Omit<VipView, 'backends'>): number {
  const keyOf = ({ name, protocol, address }: Omit<VipView, 'backends'>) =>
    `${name ?? ''} ${protocol} ${address}`
  return keyOf(left) < keyOf(right) ? -1 : 1
}
