/** Virtual IPs: the only file of this capability that others import, beside config and metrics. */

import type { Clock } from '../base/clock.ts'
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
import type { PlaneKind } from './plane.ts'
import { describePlanes, type PlaneDescription } from './planes/describe.ts'
import {
  type OpenPlaneOptions,
  openPlane as openRealPlane,
  openRemains,
  probePlanes,
} from './planes/open.ts'
import { PLANE_ORDER, type PlaneProbe } from './planes/probe.ts'
import { type PlaneSelection, selectPlane as select } from './planes/select.ts'
import { SwitchablePlane } from './planes/switchable.ts'
import { endStrays, trackOpen } from './planes/track-open.ts'
import { Balancer, type BalancerParts } from './services/balancer.ts'
import {
  compareServices,
  type DryRun,
  type DryRunParts,
  dryRun,
  type ServicesDryRunParts,
} from './services/dry-run.ts'
import { PlaneSwitch, type PlaneSwitchParts } from './services/plane-switch.ts'

export type { PortVerdict } from './advertise/explain.ts'
export type { ClusterBackends, Publishing } from './cluster/start.ts'
export type {
  BackendStatistics,
  Plane,
  PlaneKind,
  PlaneObservation,
  PlaneOperation,
} from './plane.ts'
export type { PlaneDescription } from './planes/describe.ts'
export type { PlaneChoice, PlaneProbe } from './planes/probe.ts'
export type { PlaneSelection } from './planes/select.ts'
export type { SwitchablePlane } from './planes/switchable.ts'
export type { ServiceStatus } from './services/balancer.ts'
export type { PlaneSwitch, PlaneSwitched } from './services/plane-switch.ts'

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

/** Every plane, in the order of preference. */
export const planeKinds: readonly PlaneKind[] = PLANE_ORDER

/** Tries every plane on this host. */
export function tryPlanes(options: L4lbOptions): Promise<readonly PlaneProbe[]> {
  return probePlanes(options)
}

/**
 * Tries the planes and takes the one that is configured, or that this node was switched to.
 *
 * @param stateDirectory where the wish is kept
 * @throws NavstarError `PLANE_UNAVAILABLE`
 */
export function selectPlane(options: L4lbOptions, stateDirectory: string): Promise<PlaneSelection> {
  return select(options, stateDirectory)
}

/** What each plane does and lacks on this host. */
export function tellPlanes(
  probes: readonly PlaneProbe[],
  options: OpenPlaneOptions,
): Promise<readonly PlaneDescription[]> {
  return describePlanes(probes, options)
}

/** Opens a plane that can be switched. @throws NavstarError `BPF_LOAD_FAILED`, `PLANE_UNAVAILABLE` */
export async function openPlane(
  kind: PlaneKind,
  { clock, ...options }: OpenPlaneOptions & { readonly clock: Clock },
): Promise<SwitchablePlane> {
  return new SwitchablePlane(await openRealPlane(kind, options), clock)
}

/** What {@link startPlaneSwitch} works with. */
export interface StartPlaneSwitchParts
  extends Omit<OpenPlaneOptions, 'log'>,
    Pick<PlaneSwitchParts, 'plane' | 'clock' | 'log' | 'registry'> {
  readonly selection: PlaneSelection
  readonly l4lb: L4lb
  readonly scope: Scope
}

/** Starts to take away what other planes left, and to wait for orders; ends with the scope. */
export function startPlaneSwitch({
  selection,
  l4lb,
  scope,
  options,
  nodeIp,
  ...parts
}: StartPlaneSwitchParts): PlaneSwitch {
  const planeSwitch = new PlaneSwitch({
    ...parts,
    ...selection,
    configured: options.plane,
    services: () => l4lb.services.snapshot,
    isInSync: () => l4lb.status().isInSync,
    probe: () => probePlanes(options),
    open: (kind) => openRealPlane(kind, { options, nodeIp }),
    openRemains: (kind, beforeDetaching) => {
      const vips = () => l4lb.services.snapshot.rows.keys()
      return openRemains(kind, { options, beforeDetaching, vips })
    },
    trackOpen: (services) => trackOpen(services),
    endStrays,
    signal: scope.signal,
  })
  scope.run((signal) => planeSwitch.run(signal))
  return planeSwitch
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
