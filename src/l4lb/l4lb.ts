/** Virtual IPs: the only file of this capability that others import, beside config and metrics. */
import type { Registry } from 'prom-client'
import type { Clock } from '../base/clock.ts'
import type { NavstarError } from '../base/error.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { Reconciler, type ReconcileStatus } from '../base/reconcile.ts'
import type { Scope } from '../base/scope.ts'
import { Table } from '../base/table.ts'
import type { BackendRecord, BackendRecordKey } from '../model/backend-record.ts'
import { type Cidr, lastOf } from '../model/cidr.ts'
import type { Ip } from '../model/ip.ts'
import type { NameRecord } from '../model/name-record.ts'
import type { Task, TaskKey } from '../model/task.ts'
import type { Service, ServiceKey } from '../model/vip.ts'
import { Advertiser } from './advertiser.ts'
import type { L4lbOptions } from './config.ts'
import { DesiredServices } from './desired-services.ts'
import { type L4lbMetrics, l4lbMetrics } from './metrics.ts'
import { NamePublisher } from './name-publisher.ts'
import { describeOperation, planOperations } from './plan.ts'
import type { Plane, PlaneKind, PlaneOperation } from './plane.ts'
import {
  type OpenPlaneOptions,
  openPlaneReadOnly,
  openPlane as openRealPlane,
  probePlanes,
} from './planes/open.ts'
import { choosePlane, type PlaneProbe } from './planes/probe.ts'
import { ServiceTarget } from './service-target.ts'

export type { Plane, PlaneKind, PlaneObservation, PlaneOperation } from './plane.ts'
export type { PlaneProbe } from './planes/probe.ts'

/** The records that this node states, following its tasks. */
export interface Advertising {
  readonly records: Table<BackendRecordKey, BackendRecord>
  /** Labels and endpoints that cannot be used now. */
  problems(): readonly NavstarError[]
}

/** Starts to derive this node's backend records from its tasks; ends with the scope. */
export function startAdvertising(parts: {
  readonly tasks: Table<TaskKey, Task>
  readonly log: Log
  readonly scope: Scope
}): Advertising {
  const log = parts.log.child('l4lb')
  const onProblem = ({ id }: Task, error: NavstarError) => {
    log.warn('part of a task cannot be served', { task: id, error })
  }
  const advertiser = parts.scope.own(new Advertiser(parts.tasks, { onProblem }))
  return { records: advertiser.records, problems: () => advertiser.problems }
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

/** What {@link startL4lb} works with. */
export interface L4lbParts {
  readonly plane: Plane
  readonly ranges: readonly Cidr[]
  /** All backend records that this node knows. */
  readonly records: Table<BackendRecordKey, BackendRecord>
  /** What of this node's tasks cannot be advertised; counted with what cannot be served. */
  readonly problems: () => readonly NavstarError[]
  /** This node's address, once known. */
  readonly nodeIp: () => Ip | undefined
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly registry: Registry
  readonly scope: Scope
}

/** How the service with this key stands. */
export interface ServiceStatus {
  readonly service: Service
  readonly isServed: boolean
  readonly error?: NavstarError
}

/** The running capability. */
export interface L4lb {
  readonly planeKind: PlaneKind
  readonly services: Table<ServiceKey, Service>
  /** Names whose VIPs the kernel serves; complete when the records were. */
  readonly names: Table<string, NameRecord>
  /** VIPs that cannot be served as labelled. */
  problems(): readonly NavstarError[]
  statusOf(key: ServiceKey): ServiceStatus | undefined
  status(): ReconcileStatus
  /** What the next round would do. */
  preview(): readonly PlaneOperation[]
}

/** Retries start soon and end at half a minute; audits take at most 2 % of a core. */
const AUDIT = { minIntervalMs: 500, maxIntervalMs: 10_000, maxShare: 0.02 } as const
const BACKOFF = { baseMs: 100, maxMs: 30_000 } as const

/** One dry round, as lines of text. */
export interface DryRun {
  readonly desired: readonly string[]
  readonly observed: readonly string[]
  readonly operations: readonly string[]
  readonly problems: readonly NavstarError[]
}

/** Compares the records' services with the kernel once, and changes nothing. */
export async function planOnce(
  kind: PlaneKind,
  parts: OpenPlaneOptions & { readonly records: Iterable<[BackendRecordKey, BackendRecord]> },
): Promise<DryRun> {
  const desired = new DesiredServices(parts.options.ranges.map(toRange))
  const changes = desired.update(parts.records, { nodeIp: parts.nodeIp() })
  const services = new Map([...changes].filter(isPresent))
  const plane = await openPlaneReadOnly(kind, parts)
  try {
    const observed = await plane.observe()
    const operations = planOperations({ desired: services, observed, plane, mayPrune: true })
    const lineOf = (key: ServiceKey, rendering: string) => `${key}: ${rendering || 'no backends'}`
    return {
      desired: [...services].map(([key, service]) => lineOf(key, plane.render(service))),
      observed: [...observed.services].map(([key, rendering]) => lineOf(key, rendering)),
      operations: operations.map((operation) => describeOperation(operation, plane)),
      problems: desired.problems,
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

/** Starts to serve the records' VIPs; ends with the scope, the data path stays. */
export function startL4lb(parts: L4lbParts): L4lb {
  const { plane, records, clock, random, scope } = parts
  const log = parts.log.child('l4lb')
  const metrics = l4lbMetrics(parts.registry)
  const services = new Table<ServiceKey, Service>()
  const publisher = new NamePublisher()
  const target = new ServiceTarget({
    plane,
    desired: () => services.snapshot,
    onServed: (keys) => {
      const { rows, isComplete } = services.snapshot
      publisher.publish([...keys].map((key) => [key, rows.get(key)] as const))
      if (isComplete) publisher.complete()
    },
  })
  const reconciler = new Reconciler<PlaneOperation>({
    target,
    clock,
    random,
    audit: AUDIT,
    backoff: BACKOFF,
    events: reconcileEvents(log, metrics),
  })
  const desired = new DesiredServices(parts.ranges.map(toRange))
  let knownNodeIp = parts.nodeIp()
  const follow = (keys: Iterable<BackendRecordKey>) => {
    const { rows, isComplete } = records.snapshot
    const nodeIp = parts.nodeIp()
    if (nodeIp !== knownNodeIp) reconciler.refresh() // routes carry it
    knownNodeIp = nodeIp
    const changes = desired.update(
      [...keys].map((key) => [key, rows.get(key)] as const),
      { nodeIp },
    )
    services.update(changes, isComplete)
  }
  scope.defer(
    services.onChange(({ keys }) => {
      target.touch(keys)
      reconciler.wake()
    }),
  )
  scope.defer(records.onChange(({ keys }) => follow(keys)))
  follow(records.snapshot.rows.keys())
  plane.onForeignWrite((subject) => reconciler.invalidate(subject))
  metrics.onPlane(plane.kind)
  metrics.watch({
    services: () => services.snapshot.rows.values(),
    problems: () => [...parts.problems(), ...desired.problems],
  })
  scope.own(plane)
  scope.run((signal) => reconciler.run(signal))
  return {
    planeKind: plane.kind,
    services,
    names: publisher.names,
    problems: () => desired.problems,
    statusOf: (key) => statusOf({ key, services, target, plane }),
    status: () => reconciler.status,
    preview: () => target.preview(),
  }
}

function toRange(cidr: Cidr): { first: Ip; last: Ip } {
  return { first: cidr.base, last: lastOf(cidr) }
}

function reconcileEvents(log: Log, metrics: L4lbMetrics) {
  return {
    onObserved: metrics.onObserved,
    onApplied: (applied: { operations: readonly PlaneOperation[]; durationMs: number }) => {
      const { operations, durationMs } = applied
      metrics.onApplied(operations, durationMs)
      for (const operation of operations) {
        if (operation.kind === 'repair')
          log.info('repairs the data plane', { defects: operation.defects })
      }
      log.debug('applied a plan', { operations: operations.length, durationMs })
    },
    onDrift: (found: string) => {
      metrics.onDrift()
      log.info('kernel state was changed by someone else', { found })
    },
    onFailure: (error: NavstarError, failures: number) => {
      metrics.onFailure(error.code)
      log.warn('programming failed, will retry', { error, failures })
    },
  }
}

interface StatusParts {
  readonly key: ServiceKey
  readonly services: Table<ServiceKey, Service>
  readonly target: ServiceTarget
  readonly plane: Plane
}

function statusOf({ key, services, target, plane }: StatusParts): ServiceStatus | undefined {
  const service = services.snapshot.rows.get(key)
  if (service === undefined) return undefined
  const error = target.failed.get(key)
  const isServed = target.servedRendering(key) === plane.render(service)
  return error === undefined ? { service, isServed } : { service, isServed, error }
}
