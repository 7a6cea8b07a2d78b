/** From backend records and the address plan to the services that the data plane must serve. */
import type { BackendRecord } from '../../model/backend-record.ts'
import { familyOf, type Ip } from '../../model/ip.ts'
import {
  type Backend,
  formatEndpoint,
  type Service,
  type ServiceKey,
  serviceKeyOf,
} from '../../model/vip.ts'
import type { Zone } from '../../model/zone.ts'
import { agreedOptions } from './agreed-options.ts'

/** What {@link desiredServices} needs beside the records. */
export interface DesiredContext {
  /** The address of a name in a family; undefined while the plan has none. */
  readonly addressOf: (name: string, family: 4 | 6) => Ip | undefined
  /** This node's address: its own port mappings are passed by. */
  readonly nodeIp: Ip | undefined
  /** This node's zone. */
  readonly zone?: Zone | undefined
}

/**
 * The services that these records make. Backends are sorted and distinct; where two records
 * give one endpoint different weights, the larger counts, since one healthy task answers there.
 *
 * A backend whose node is doubted takes no new connections (weight 0) as long as its service has
 * another that can: weight above 0, not doubted. Where all that could are doubted they keep their
 * weights: there is nothing to lose.
 */
export function desiredServices(
  records: Iterable<BackendRecord>,
  context: DesiredContext,
): Map<ServiceKey, Service> {
  const building = new Map<ServiceKey, { service: Service; records: BackendRecord[] }>()
  for (const record of records) {
    const service = serviceOf(record, context)
    if (service === undefined) continue
    const key = serviceKeyOf(service)
    const entry = building.get(key) ?? { service, records: [] }
    building.set(key, entry)
    entry.records.push(record)
  }
  const services = new Map<ServiceKey, Service>()
  for (const [key, { service, records: own }] of building) {
    const { options } = agreedOptions(own)
    const isLocal = options?.locality !== undefined && options.locality !== 'none'
    const backends = backendsOf(own, isLocal ? { ...context, isLocal } : context)
    services.set(key, { ...service, backends, ...(options && { options }) })
  }
  return services
}

/** `isLocal`: the service asks how near its backends are. */
type BackendContext = DesiredContext & { readonly isLocal?: true }

function backendsOf(records: readonly BackendRecord[], context: BackendContext): Backend[] {
  const isCovered = records.some(({ weight, isDoubted }) => weight > 0 && isDoubted !== true)
  const backends = new Map<string, Backend>()
  for (const record of records) {
    const backend = backendOf(record, context)
    const isAvoided = isCovered && record.isDoubted === true
    addBackend(backends, isAvoided ? { ...backend, weight: 0, drainReason: 'doubted' } : backend)
  }
  return sorted(backends)
}

function serviceOf(record: BackendRecord, context: DesiredContext): Service | undefined {
  const { vip, vipPort: port, protocol } = record
  if (vip.kind === 'address') return { address: vip.address, port, protocol, backends: [] }
  const address = context.addressOf(vip.name, familyOf(record.address))
  return address && { address, port, protocol, name: vip.name, backends: [] }
}

function backendOf(record: BackendRecord, context: BackendContext): Backend {
  const isMapped = record.local !== undefined && record.nodeIp === context.nodeIp
  const { address, port } = isMapped && record.local ? record.local : record
  const near = context.isLocal && nearOf(record, context)
  const { weight, drainReason } = record
  return { address, port, weight, ...(drainReason && { drainReason }), ...(near && { near }) }
}

function nearOf(record: BackendRecord, { nodeIp, zone }: DesiredContext): Backend['near'] {
  if (record.nodeIp === nodeIp) return 'node'
  return record.zone !== undefined && record.zone === zone ? 'zone' : undefined
}

function addBackend(backends: Map<string, Backend>, backend: Backend): void {
  const endpoint = formatEndpoint(backend)
  const known = backends.get(endpoint)
  if (known === undefined || known.weight < backend.weight) backends.set(endpoint, backend)
}

function sorted(backends: Map<string, Backend>): Backend[] {
  return [...backends]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([, backend]) => backend)
}
