/** Virtual IPs: the only file of this capability that others import, beside config and metrics. */
import type { NavstarError } from '../base/error.ts'
import type { Log } from '../base/log.ts'
import type { Scope } from '../base/scope.ts'
import type { Table } from '../base/table.ts'
import type { BackendRecord, BackendRecordKey } from '../model/backend-record.ts'
import type { Task, TaskKey } from '../model/task.ts'
import type { Zone } from '../model/zone.ts'
import { Advertiser } from './advertise/advertiser.ts'
import { explainPorts as explain, type PortVerdict } from './advertise/explain.ts'
import {
  type ClusterBackends,
  type ClusterBackendsParts,
  type Publishing,
  type PublishingParts,
  startClusterBackends as startBackends,
  startPublishing as startTelling,
} from './cluster/start.ts'
import type { L4lbOptions } from './config.ts'
import type { Plane, PlaneKind } from './plane.ts'
import { type OpenPlaneOptions, openPlane as openRealPlane, probePlanes } from './planes/open.ts'
import { choosePlane, type PlaneProbe } from './planes/probe.ts'
import { Balancer, type BalancerParts } from './services/balancer.ts'
import {
  compareServices,
  type DryRun,
  type DryRunParts,
  dryRun,
  type ServicesDryRunParts,
} from './services/dry-run.ts'

export type { PortVerdict } from './advertise/explain.ts'
export type { ClusterBackends, Publishing } from './cluster/start.ts'
export type {
  BackendStatistics,
  Plane,
  PlaneKind,
  PlaneObservation,
  PlaneOperation,
} from './plane.ts'
export type { PlaneProbe } from './planes/probe.ts'
export type { ServiceStatus } from './services/balancer.ts'

/** The running capability. */
export type L4lb = Pick<
  Balancer,
  | 'planeKind'
  | 'services'
  | 'names'
  | 'problems'
  | 'status'
  | 'statusOf'
  | 'backendsOf'
  | 'unsupported'
  | 'statistics'
  | 'preview'
>

/** What {@link startL4lb} works with. */
export interface L4lbParts extends BalancerParts {
  /** Ends the balancing; the data path stays. */
  readonly scope: Scope
}

/** Starts to serve the records' VIPs. */
export function startL4lb(parts: L4lbParts): L4lb {
  const balancer = parts.scope.own(new Balancer(parts))
  parts.scope.run((signal) => balancer.run(signal))
  return balancer
}

/** The records that this node states, following its tasks. */
export interface Advertising {
  readonly records: Table<BackendRecordKey, BackendRecord>
  /** Labels and endpoints that cannot be used now. */
  problems(): readonly NavstarError[]
}

/** Starts to derive this node's backend records from its tasks; ends with the scope. */
export function startAdvertising(parts: {
  readonly tasks: Table<TaskKey, Task>
  /** This node's. */
  readonly zone?: Zone | undefined
  readonly log: Log
  readonly scope: Scope
}): Advertising {
  const log = parts.log.child('l4lb')
  const onProblem = ({ id }: Task, error: NavstarError) => {
    log.warn('part of a task cannot be served', { task: id, error })
  }
  const advertiser = parts.scope.own(new Advertiser(parts.tasks, { onProblem, zone: parts.zone }))
  return { records: advertiser.records, problems: () => advertiser.problems }
}

/** Why each port of a task is a backend of a VIP, or is not. */
export function explainPorts(task: Task): readonly PortVerdict[] {
  return explain(task)
}

/** Starts to follow the backends and address claims of all nodes; ends with the scope. */
export function startClusterBackends(parts: ClusterBackendsParts): ClusterBackends {
  return startBackends(parts)
}

/** Starts to state this node's backends and address claims; ends with the scope. */
export function startPublishing(parts: PublishingParts): Promise<Publishing> {
  return startTelling(parts)
}

/** Tries every plane on this host. */
export function tryPlanes(options: L4lbOptions): Promise<readonly PlaneProbe[]> {
  return probePlanes(options)
}

/** Tries the planes and takes the wanted one. @throws NavstarError `PLANE_UNAVAILABLE` */
export async function selectPlane(options: L4lbOptions): Promise<PlaneProbe> {
  return choosePlane(await probePlanes(options), options.plane)
}

/** Opens a plane. @throws NavstarError `BPF_LOAD_FAILED`, `PLANE_UNAVAILABLE` */
export function openPlane(kind: PlaneKind, options: OpenPlaneOptions): Promise<Plane> {
  return openRealPlane(kind, options)
}

/** Compares the records' services with the kernel once, and changes nothing. */
export function planOnce(kind: PlaneKind, parts: DryRunParts): Promise<DryRun> {
  return dryRun(kind, parts)
}

/** Compares services, as {@link L4lb.services} has them, with the kernel; changes nothing. */
export function planServices(
  kind: PlaneKind,
  parts: ServicesDryRunParts,
): Promise<Omit<DryRun, 'problems'>> {
  return compareServices(kind, parts)
}
