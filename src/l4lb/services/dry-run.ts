/** One round without its last step: what would be done. */
import type { NavstarError } from '../../base/error.ts'
import type { BackendRecord, BackendRecordKey } from '../../model/backend-record.ts'
import type { Service, ServiceKey } from '../../model/vip.ts'
import { vipRangeOf } from '../addresses/address-space.ts'
import { describeOperation, planOperations } from '../plan.ts'
import type { PlaneKind } from '../plane.ts'
import { type OpenPlaneOptions, openPlaneReadOnly } from '../planes/open.ts'
import { DesiredServices } from './desired-services.ts'

/** One dry round, as lines of text. */
export interface DryRun {
  readonly desired: readonly string[]
  readonly observed: readonly string[]
  readonly operations: readonly string[]
  readonly problems: readonly NavstarError[]
}

/** What a dry run compares. */
export interface DryRunParts extends OpenPlaneOptions {
  readonly records: Iterable<[BackendRecordKey, BackendRecord]>
}

/** What a dry run of known services compares. */
export interface ServicesDryRunParts extends OpenPlaneOptions {
  readonly services: ReadonlyMap<ServiceKey, Service>
}

/** Compares the records' services with the kernel once, and changes nothing. */
export async function dryRun(kind: PlaneKind, parts: DryRunParts): Promise<DryRun> {
  const desired = new DesiredServices(parts.options.ranges.map(vipRangeOf))
  const changes = desired.update(parts.records, { nodeIp: parts.nodeIp() })
  const services = new Map([...changes].filter(isPresent))
  const compared = await compareServices(kind, { ...parts, services })
  return { ...compared, problems: desired.problems }
}

/** Compares services with the kernel once, and changes nothing. */
export async function compareServices(
  kind: PlaneKind,
  parts: ServicesDryRunParts,
): Promise<Omit<DryRun, 'problems'>> {
  const { services } = parts
  const plane = await openPlaneReadOnly(kind, parts)
  try {
    const observed = await plane.observe()
    const operations = planOperations({ desired: services, observed, plane, mayPrune: true })
    const lineOf = (key: ServiceKey, rendering: string) => `${key}: ${rendering || 'no backends'}`
    return {
      desired: [...services].map(([key, service]) => lineOf(key, plane.render(service))),
      observed: [...observed.services].map(([key, rendering]) => lineOf(key, rendering)),
      operations: operations.map((operation) => describeOperation(operation, plane)),
    }
  } finally {
    await plane.close()
  }
}

function isPresent(
  entry: readonly [ServiceKey, Service | undefined],
): entry is [ServiceKey, Service] {
  return entry[1] !== undefined
}
