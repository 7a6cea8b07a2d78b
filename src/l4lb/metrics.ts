import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { ErrorCode } from '../base/error-codes.ts'
import type { Service } from '../model/vip.ts'
import { defineTraffic } from './metrics-of-traffic.ts'
import type { PlaneKind, PlaneOperation } from './plane.ts'
import type { Traffic } from './traffic-reading.ts'

/** What the balancing of VIPs reports. */
export interface L4lbMetrics {
  readonly onPlane: (plane: PlaneKind) => void
  /** Another plane was asked for while the daemon runs. */
  readonly onSwitch: (plane: PlaneKind, result: 'done' | 'failed') => void
  /** What is counted whenever the metrics are read: counting takes a look at each. */
  readonly watch: (counted: Counted) => void
  readonly onObserved: (durationMs: number) => void
  readonly onApplied: (operations: readonly PlaneOperation[], durationMs: number) => void
  readonly onDrift: () => void
  readonly onFailure: (code: ErrorCode) => void
  /** A record of another node, or a part of it, cannot be used. */
  readonly onRecordRefused: (kind: 'backends' | 'addressClaim') => void
  readonly onIsolation: (isIsolated: boolean) => void
  /** A name with backends here has another address from now on. */
  readonly onMoved: () => void
  /** Claims are counted whenever the metrics are read. */
  readonly watchClaims: (counts: () => ClaimCounts) => void
}

/** Names that this node claims an address for. */
export interface ClaimCounts {
  /** With backends here. */
  readonly held: number
  /** Cooling down after their last backend. */
  readonly idle: number
}

/** The things that are counted, as of now. */
export interface Counted {
  readonly services: () => Iterable<Service>
  /** Labels, endpoints and names that cannot be served. */
  readonly problems: () => Iterable<{ readonly code: ErrorCode }>
  /** What the kernel counted; absent: nobody asks it. */
  readonly traffic?: Traffic
}

const DURATION_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]

const defined = new WeakMap<Registry, L4lbMetrics>()

/** The metrics of VIPs on the registry, defined by the first call. */
export function l4lbMetrics(registry: Registry): L4lbMetrics {
  const metrics = defined.get(registry) ?? defineMetrics(registry)
  defined.set(registry, metrics)
  return metrics
}

function defineMetrics(registry: Registry): L4lbMetrics {
  let counted: Counted = { services: () => [], problems: () => [] }
  const gauges = defineGauges(registry, () => counted)
  const rounds = defineRounds(registry)
  defineTraffic(registry, () => counted.traffic)
  return {
    onPlane: (plane) => {
      gauges.plane.reset()
      gauges.plane.set({ plane }, 1)
    },
    onSwitch: (plane, result) => gauges.switches.inc({ plane, result }),
    watch: (source) => {
      counted = source
    },
    onObserved: (durationMs) => rounds.observe.observe(durationMs / 1000),
    onApplied: (operations, durationMs) => {
      rounds.apply.observe(durationMs / 1000)
      rounds.planSize.observe(operations.length)
      for (const { kind } of operations) rounds.operations.inc({ kind })
    },
    onDrift: () => rounds.drifts.inc(),
    onFailure: (code) => rounds.failures.inc({ code }),
    ...defineCluster(registry),
  }
}

type ClusterMetrics = Pick<
  L4lbMetrics,
  'onRecordRefused' | 'onIsolation' | 'onMoved' | 'watchClaims'
>

function defineCluster(registry: Registry): ClusterMetrics {
  const registers = [registry]
  let counts = (): ClaimCounts => ({ held: 0, idle: 0 })
  const refused = new Counter({
    name: 'navstar_l4lb_records_refused_total',
    help: 'Records of other nodes of which something could not be used, by kind: backends, addressClaim',
    labelNames: ['kind'],
    registers,
  })
  const isolation = new Gauge({
    name: 'navstar_l4lb_isolation_state',
    help: '1 while every other node looks gone, so that all their backends are kept',
    registers,
  })
  const moves = new Counter({
    name: 'navstar_l4lb_address_moves_total',
    help: 'Times that a name with backends on this node got another address',
    registers,
  })
  new Gauge({
    name: 'navstar_l4lb_address_claims',
    help: 'Names that this node claims an address for: held (with backends here), idle (cooling down)',
    labelNames: ['state'],
    registers,
    collect() {
      const { held, idle } = counts()
      this.set({ state: 'held' }, held)
      this.set({ state: 'idle' }, idle)
    },
  })
  return {
    onRecordRefused: (kind) => refused.inc({ kind }),
    onIsolation: (isIsolated) => isolation.set(isIsolated ? 1 : 0),
    onMoved: () => moves.inc(),
    watchClaims: (source) => {
      counts = source
    },
  }
}

function defineGauges(registry: Registry, counted: () => Counted) {
  const registers = [registry]
  const plane = new Gauge({
    name: 'navstar_l4lb_plane_state',
    help: '1 for the data plane that serves VIPs on this node',
    labelNames: ['plane'],
    registers,
  })
  const switches = new Counter({
    name: 'navstar_l4lb_plane_switches_total',
    help: 'Times that another data plane was asked for while the daemon ran, by plane and result: done, failed',
    labelNames: ['plane', 'result'],
    registers,
  })
  new Gauge({
    name: 'navstar_l4lb_vips',
    help: 'Services (address, port, protocol) that this node is to serve',
    registers,
    collect() {
      this.set([...counted().services()].length)
    },
  })
  new Gauge({
    name: 'navstar_l4lb_backends',
    help: 'Backends of all services by state: active, draining',
    labelNames: ['state'],
    registers,
    collect() {
      const counts = countBackends(counted().services())
      this.set({ state: 'active' }, counts.active)
      this.set({ state: 'draining' }, counts.draining)
    },
  })
  new Gauge({
    name: 'navstar_l4lb_problems',
    help: 'Labels, endpoints and names that cannot be served now, by error code',
    labelNames: ['code'],
    registers,
    collect() {
      this.reset()
      for (const { code } of counted().problems()) this.inc({ code })
    },
  })
  return { plane, switches }
}

function countBackends(services: Iterable<Service>) {
  const counts = { active: 0, draining: 0 }
  for (const { backends } of services) {
    for (const { weight } of backends) counts[weight > 0 ? 'active' : 'draining']++
  }
  return counts
}

function defineRounds(registry: Registry) {
  const registers = [registry]
  return {
    observe: new Histogram({
      name: 'navstar_l4lb_observe_duration_seconds',
      help: 'Duration of reading the services back from the kernel',
      buckets: DURATION_BUCKETS,
      registers,
    }),
    apply: new Histogram({
      name: 'navstar_l4lb_apply_duration_seconds',
      help: 'Duration of carrying out a plan in the kernel',
      buckets: DURATION_BUCKETS,
      registers,
    }),
    planSize: new Histogram({
      name: 'navstar_l4lb_plan_operations',
      help: 'Operations of a plan that was carried out',
      buckets: [1, 10, 100, 1000, 10_000, 100_000],
      registers,
    }),
    operations: new Counter({
      name: 'navstar_l4lb_operations_total',
      help: 'Operations carried out by kind: repair, put, remove',
      labelNames: ['kind'],
      registers,
    }),
    drifts: new Counter({
      name: 'navstar_l4lb_drifts_total',
      help: 'Times that kernel state was found changed by someone else',
      registers,
    }),
    failures: new Counter({
      name: 'navstar_l4lb_failures_total',
      help: 'Failed operations by error code',
      labelNames: ['code'],
      registers,
    }),
  }
}
