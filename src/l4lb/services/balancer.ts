/** The running part of the capability: records in, services in the kernel and names out. */
import type { Registry } from 'prom-client'
import type { Clock } from '../../base/clock.ts'
import { NavstarError } from '../../base/error.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import { Reconciler, type ReconcileStatus } from '../../base/reconcile.ts'
import { Table } from '../../base/table.ts'
import { Wakeup } from '../../base/wakeup.ts'
import type { BackendRecord, BackendRecordKey } from '../../model/backend-record.ts'
import type { Cidr } from '../../model/cidr.ts'
import type { Ip } from '../../model/ip.ts'
import type { NameRecord } from '../../model/name-record.ts'
import type { NodeId } from '../../model/node-id.ts'
import { formatEndpoint, type Service, type ServiceKey } from '../../model/vip.ts'
import type { Zone } from '../../model/zone.ts'
import type { AddressBook } from '../addresses/address-book.ts'
import { vipRangeOf } from '../addresses/address-space.ts'
import { L4LB_DEFAULTS } from '../config.ts'
import { nodesOf } from '../health/failing-nodes.ts'
import type { EndpointKey } from '../health/health-engine.ts'
import { HealthWatch } from '../health/health-watch.ts'
import { probeEndpoint } from '../health/probe.ts'
import { l4lbMetrics } from '../metrics.ts'
import type {
  Plane,
  PlaneKind,
  PlaneOperation,
  PlaneStatistics,
  UnsupportedOption,
} from '../plane.ts'
import { type BackendStatus, backendStatuses } from './backend-status.ts'
import { DesiredServices, type ServiceChanges } from './desired-services.ts'
import { NamePublisher } from './name-publisher.ts'
import { reconcileEvents } from './reconcile-events.ts'
import { ServiceTarget } from './service-target.ts'
import { ServiceShaper } from './shaper.ts'

/** What a {@link Balancer} works with. */
export interface BalancerParts {
  readonly plane: Plane
  /** Where names get their addresses without {@link BalancerParts.addresses}. */
  readonly ranges: readonly Cidr[]
  /** The plan of the cluster; without it one of this node's own, which knows no claims. */
  readonly addresses?: AddressBook
  /** How long a service stays at an address that its name had before. */
  readonly drainMs?: number
  /** All backend records that this node knows. */
  readonly records: Table<BackendRecordKey, BackendRecord>
  /** What of this node's tasks cannot be advertised; counted with what cannot be served. */
  readonly problems: () => readonly NavstarError[]
  /** This node's address, once known. */
  readonly nodeIp: () => Ip | undefined
  /** This node's zone. */
  readonly zone?: Zone | undefined
  /** Tries a backend that is out; default: by a TCP connection. */
  readonly probe?: (key: EndpointKey) => Promise<boolean>
  /** A backend of another node takes no new connections from here: is the node alive? */
  readonly onDoubt?: (node: NodeId) => void
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly registry: Registry
}

/** How the service with this key stands. */
export interface ServiceStatus {
  readonly service: Service
  readonly isServed: boolean
  readonly error?: NavstarError
}

/** Retries start soon and end at half a minute; audits take at most 2 % of a core, but run at least every 10 s. */
const AUDIT = { minIntervalMs: 600, maxIntervalMs: 10_000, maxShare: 0.02 } as const
/** Shares grow in steps of at least so long. */
const LEAST_STEP_MS = 250
const BACKOFF = { baseMs: 100, maxMs: 30_000 } as const

/** Serves the records' VIPs while it runs; the data path stays when it ends. */
export class Balancer {
  readonly services: Table<ServiceKey, Service> = new Table()
  readonly #parts: BalancerParts
  readonly #publisher = new NamePublisher()
  readonly #desired: DesiredServices
  readonly #target: ServiceTarget
  readonly #reconciler: Reconciler<PlaneOperation>
  readonly #stopFollowing: readonly (() => void)[]
  readonly #draining = new Wakeup()
  readonly #warming = new Wakeup()
  readonly #shaper = new ServiceShaper()
  readonly #health: HealthWatch
  #nodeIp: Ip | undefined

  constructor(parts: BalancerParts) {
    const { plane, records, clock, random, ranges } = parts
    const metrics = l4lbMetrics(parts.registry)
    this.#parts = parts
    this.#desired = new DesiredServices(
      parts.addresses ?? ranges.map(vipRangeOf),
      parts.drainMs ?? L4LB_DEFAULTS.addressDrainMs,
    )
    this.#target = new ServiceTarget({
      plane,
      desired: () => this.services.snapshot,
      onServed: (keys) => this.#publish(keys),
      noteNode: () => this.#noteNode(),
    })
    const events = reconcileEvents(parts.log.child('l4lb'), metrics)
    const policies = { audit: AUDIT, backoff: BACKOFF }
    this.#reconciler = new Reconciler({ target: this.#target, clock, random, events, ...policies })
    this.#health = new HealthWatch({
      statistics: () => plane.statistics(),
      probe: parts.probe ?? probeEndpoint,
      clock,
      log: parts.log.child('l4lb'),
      onChange: (failing) => this.#give(this.#shaper.setFailing(failing, clock.nowMs())),
      onOut: (out) => {
        for (const node of nodesOf(out, records.snapshot.rows.values())) parts.onDoubt?.(node)
      },
    })
    this.#stopFollowing = [
      records.onChange(({ keys }) => this.#follow(keys)),
      parts.addresses?.onMoved((names, cause) => cause === 'claims' && this.#follow([], names)),
    ].filter((stop) => stop !== undefined)
    this.#follow(records.snapshot.rows.keys())
    plane.onChange(({ subject, isOwn }) => {
      if (isOwn) this.#reconciler.invalidate(subject)
      else this.#reconciler.refresh()
    })
    metrics.onPlane(plane.kind)
    metrics.watch({
      services: () => this.services.snapshot.rows.values(),
      problems: () => [...parts.problems(), ...this.problems()],
      traffic: {
        statistics: () => plane.statistics(),
        nameOf: (key) => this.services.snapshot.rows.get(key)?.name,
      },
    })
  }

  get planeKind(): PlaneKind {
    return this.#parts.plane.kind
  }

  /** Names whose VIPs the kernel serves; complete when the records were. */
  get names(): Table<string, NameRecord> {
    return this.#publisher.names
  }

  /** Reconciles until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.#reconciler.run(signal),
      this.#endDrains(signal),
      this.#health.run(signal),
      this.#warmUp(signal),
    ])
  }

  /** VIPs that cannot be served as labelled. */
  problems(): readonly NavstarError[] {
    return [...this.#desired.problems, ...this.#unsupportedOptions()]
  }

  /** Where the reconcile loop stands. */
  status(): ReconcileStatus {
    return this.#reconciler.status
  }

  /** What the next round would do. */
  preview(): readonly PlaneOperation[] {
    return this.#target.preview()
  }

  /** How a service stands; undefined when nobody wants it. */
  statusOf(key: ServiceKey): ServiceStatus | undefined {
    const service = this.services.snapshot.rows.get(key)
    if (service === undefined) return undefined
    const error = this.#target.failed.get(key)
    const isServed = this.#target.servedRendering(key) === this.#parts.plane.render(service)
    return error === undefined ? { service, isServed } : { service, isServed, error }
  }

  /** How the backends of a service stand; empty when nobody wants it. */
  backendsOf(key: ServiceKey): readonly BackendStatus[] {
    const wanted = this.#shaper.wanted(key)
    const given = this.services.snapshot.rows.get(key)
    if (wanted === undefined || given === undefined) return []
    const isPanicking = this.#shaper.isPanicking(key)
    const { ejected } = this.#health.engine
    return backendStatuses({
      wanted,
      given,
      isPanicking,
      ejected,
      turns: this.#shaper.turnsOf(key),
    })
  }

  /** Options of a service that the plane serves without. */
  unsupported(service: Service): readonly UnsupportedOption[] {
    return this.#parts.plane.unsupported(service)
  }

  /** What the kernel counted. @throws NavstarError `KERNEL_READ_FAILED`, `BPF_MAP_FAILED` */
  statistics(): Promise<PlaneStatistics> {
    return this.#parts.plane.statistics()
  }

  /** Ends the plane's part in this process. */
  async close(): Promise<void> {
    for (const stop of this.#stopFollowing) stop()
    await this.#parts.plane.close()
  }

  #follow(keys: Iterable<BackendRecordKey>, moved: Iterable<string> = []): void {
    const { rows, isComplete } = this.#parts.records.snapshot
    const nodeIp = this.#parts.nodeIp()
    if (nodeIp !== this.#nodeIp) this.#reconciler.refresh() // routes carry it
    this.#nodeIp = nodeIp
    const records = [...keys].map((key) => [key, rows.get(key)] as const)
    const nowMs = this.#parts.clock.nowMs()
    const { zone } = this.#parts
    const wanted = this.#desired.update(records, { nodeIp, zone, moved, nowMs })
    this.#give(this.#shaper.update(wanted, nowMs), isComplete)
    if (isComplete) this.#shaper.settle()
    if (this.#shaper.tickMs < Number.POSITIVE_INFINITY) this.#warming.wake()
    if (this.#desired.nextDueMs < Number.POSITIVE_INFINITY) this.#draining.wake()
  }

  #unsupportedOptions(): readonly NavstarError[] {
    const { plane } = this.#parts
    return [...this.services.snapshot.rows.values()].flatMap((service) => {
      if (service.options === undefined) return []
      return plane.unsupported(service).map(({ name, reason }) => {
        const attempt = `give ${service.name ?? formatEndpoint(service)} ${name}=${service.options?.[name]}`
        const cause = `plane ${plane.kind}: ${reason}`
        return new NavstarError('VIP_OPTION_UNSUPPORTED', { attempt, cause })
      })
    })
  }

  #give(changes: ServiceChanges, isComplete: boolean = this.services.snapshot.isComplete): void {
    this.services.update(changes, isComplete)
    this.#target.touch(changes.keys())
    this.#reconciler.wake()
  }

  #noteNode(): boolean {
    const isMoved = this.#parts.nodeIp() !== this.#nodeIp
    if (isMoved) this.#follow([])
    return isMoved
  }

  /** Ends services at former addresses when their time has come; returns when aborted. */
  async #endDrains(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts
    try {
      for (;;) {
        await this.#draining.wait({ signal })
        const dueInMs = this.#desired.nextDueMs - clock.nowMs()
        if (dueInMs > 0 && dueInMs < Number.POSITIVE_INFINITY)
          await clock.sleep(dueInMs, { signal })
        this.#follow([])
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  /** Gives new backends more of their share as time goes on; returns when aborted. */
  async #warmUp(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts
    try {
      for (;;) {
        await this.#warming.wait({ signal })
        while (this.#shaper.tickMs < Number.POSITIVE_INFINITY) {
          await clock.sleep(Math.max(this.#shaper.tickMs, LEAST_STEP_MS), { signal })
          this.#give(this.#shaper.tick(clock.nowMs()))
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  #publish(keys: Iterable<ServiceKey>): void {
    const { rows, isComplete } = this.services.snapshot
    this.#publisher.publish([...keys].map((key) => [key, rows.get(key)] as const))
    if (isComplete) this.#publisher.complete()
  }
}
