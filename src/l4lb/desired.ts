/** From backend records and the address plan to the services that the data plane must serve. */
import type { BackendRecord } from '../model/backend-record.ts'
import { familyOf, type Ip } from '../model/ip.ts'
import {
  type Backend,
  formatEndpoint,
  type Service,
  type ServiceKey,
  serviceKeyOf,
} from '../model/vip.ts'

/** What {@link desiredServices} needs beside the records. */
export interface DesiredContext {
  /** The address of a name in a family; undefined while the plan has none. */
  readonly addressOf: (name: string, family: 4 | 6) => Ip | undefined
  /** This node's address: its own port mappings are passed by. */
  readonly nodeIp: Ip | undefined
}

/**
 * The services that these records make. Backends are sorted and distinct; where two records
 * give one endpoint different weights, the larger counts, since one healthy task answers there.
 */
export function desiredServices(
  records: Iterable<BackendRecord>,
  context: DesiredContext,
): Map<ServiceKey, Service> {
  const building = new Map<ServiceKey, { service: Service; backends: Map<string, Backend> }>()
  for (const record of records) {
    const service = serviceOf(record, context)
    if (service === undefined) continue
    const key = serviceKeyOf(service)
    const entry = building.get(key) ?? { service, backends: new Map<string, Backend>() }
    building.set(key, entry)
    addBackend(entry.backends, backendOf(record, context))
  }
  const services = new Map<ServiceKey, Service>()
  for (const [key, { service, backends }] of building) {
    services.set(key, { ...service, backends: sorted(backends) })
  }
  return services
}

function serviceOf(record: BackendRecord, context: DesiredContext): Service | undefined {
  const { vip, vipPort: port, protocol } = record
  if (vip.kind === 'address') return { address: vip.address, port, protocol, backends: [] }
  const address = context.addressOf(vip.name, familyOf(record.address))
  return address && { address, port, protocol, name: vip.name, backends: [] }
}

function backendOf(record: BackendRecord, { nodeIp }: DesiredContext): Backend {
  const isLocal = record.local !== undefined && record.nodeIp === nodeIp
  const { address, port } = isLocal && record.local ? record.local : record
  return { address, port, weight: record.weight }
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
