/** The reconcile loop's view of VIPs: desired services on one side, a plane on the other. */
import type { NavstarError } from '../../base/error.ts'
import type { Reconciled } from '../../base/reconcile.ts'
import type { Snapshot } from '../../base/table.ts'
import type { Service, ServiceKey } from '../../model/vip.ts'
import { planOperations } from '../plan.ts'
import type { Plane, PlaneObservation, PlaneOperation } from '../plane.ts'

/** What the target works on. */
export interface ServiceTargetParts {
  readonly plane: Plane
  readonly desired: () => Snapshot<ServiceKey, Service>
  /** Notes this node's address. @returns whether it changed, which is no one's drift */
  readonly noteNode?: () => boolean
  /** Called with services that the kernel now has as desired, once the plane is whole. */
  readonly onServed: (keys: Iterable<ServiceKey>) => void
}

/** Plans only what changed since the last observation; everything after one. */
export class ServiceTarget implements Reconciled<PlaneOperation> {
  readonly #parts: ServiceTargetParts
  /** What the kernel serves: the last observation plus what we did since. */
  #served = new Map<ServiceKey, string>()
  #defects: readonly string[] = []
  /** Services to compare in the next plan; undefined: all. */
  #dirty: Set<ServiceKey> | undefined
  /** Whether the last plan could remove services. */
  #wasComplete = false
  /** Services of the last plan that need nothing. */
  #settled: readonly ServiceKey[] = []
  /** Services that changed and were not yet reported since. */
  readonly #unreported = new Set<ServiceKey>()
  /** Services that failed to be programmed, with the reason. */
  readonly #failed = new Map<ServiceKey, NavstarError>()

  constructor(parts: ServiceTargetParts) {
    this.#parts = parts
  }

  /** Services that the kernel refused, as of the last round. */
  get failed(): ReadonlyMap<ServiceKey, NavstarError> {
    return this.#failed
  }

  /** The observed rendering of a service. */
  servedRendering(key: ServiceKey): string | undefined {
    return this.#served.get(key)
  }

  /** The desired services with these keys changed. */
  touch(keys: Iterable<ServiceKey>): void {
    for (const key of keys) {
      this.#dirty?.add(key)
      this.#unreported.add(key)
    }
  }

  async observe(): Promise<void> {
    const { services, defects } = await this.#parts.plane.observe()
    this.#served = new Map(services)
    this.#defects = defects
    this.#dirty = undefined
  }

  plan(): readonly PlaneOperation[] {
    const operations = this.preview()
    const failing = new Set(operations.map((operation) => 'key' in operation && operation.key))
    const all = this.#compared() === undefined ? this.#parts.desired().rows.keys() : []
    const settled = [...new Set([...this.#unreported, ...all])]
    this.#settled = settled.filter((key) => !failing.has(key))
    for (const key of this.#failed.keys()) if (!failing.has(key)) this.#failed.delete(key)
    this.#dirty = new Set()
    this.#wasComplete = this.#parts.desired().isComplete
    this.#report(this.#settled)
    return operations
  }

  /** The operations that the next round would carry out. */
  preview(): readonly PlaneOperation[] {
    const { rows, isComplete } = this.#parts.desired()
    const keys = this.#compared()
    const observed: PlaneObservation = { services: this.#served, defects: this.#defects }
    return planOperations({
      desired: rows,
      observed,
      plane: this.#parts.plane,
      mayPrune: isComplete,
      ...(keys && { keys }),
    })
  }

  /** Services to compare; undefined: all, also once it is known that there are no others. */
  #compared(): ReadonlySet<ServiceKey> | undefined {
    const isNowComplete = this.#parts.desired().isComplete && !this.#wasComplete
    return isNowComplete ? undefined : this.#dirty
  }

  async apply(operations: readonly PlaneOperation[]): Promise<readonly NavstarError[]> {
    const errors: NavstarError[] = []
    const served: ServiceKey[] = []
    for (const { operation, error } of await this.#parts.plane.apply(operations)) {
      if (error !== undefined) errors.push(error)
      if (operation.kind === 'repair') {
        if (error === undefined) this.#defects = []
        continue
      }
      this.#note(operation, error)
      if (error === undefined) served.push(operation.key)
    }
    this.#report([...this.#settled, ...served])
    return errors
  }

  #report(keys: readonly ServiceKey[]): void {
    if (this.#defects.length > 0) return
    for (const key of keys) this.#unreported.delete(key)
    this.#parts.onServed(keys)
  }

  async audit(): Promise<boolean> {
    const isIntact = await this.#parts.plane.audit()
    return isIntact || this.#parts.noteNode?.() === true // then a refresh is on its way
  }

  #note(
    operation: Exclude<PlaneOperation, { kind: 'repair' }>,
    error: NavstarError | undefined,
  ): void {
    const { key } = operation
    if (error !== undefined) {
      this.#failed.set(key, error)
      return
    }
    this.#failed.delete(key)
    if (operation.kind === 'remove') this.#served.delete(key)
    else this.#served.set(key, this.#parts.plane.render(operation.service))
  }
}
