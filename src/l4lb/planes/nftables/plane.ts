/**
 * VIPs by destination NAT in nf_tables, for kernels and packets that BPF at the socket does not
 * serve. The rule set is described in ruleset.ts.
 */
import { type Clock, systemClock } from '../../../base/clock.ts'
import { NavstarError } from '../../../base/error.ts'
import { type Log, silentLog } from '../../../base/log.ts'
import type { Conntrack } from '../../../kernel/conntrack.ts'
import type { Nftables, NftOperation } from '../../../kernel/nftables.ts'
import type { KernelEvent, OperationResult } from '../../../kernel/operation.ts'
import type { RouteTables } from '../../../kernel/routes.ts'
import { type Cidr, formatCidr } from '../../../model/cidr.ts'
import type { Ip } from '../../../model/ip.ts'
import type { Service } from '../../../model/vip.ts'
import type {
  OperationOutcome,
  Plane,
  PlaneChange,
  PlaneObservation,
  PlaneOperation,
  PlaneStatistics,
  UnsupportedOption,
} from '../../plane.ts'
import { type Change, commitChanges } from './commit.ts'
import { Endings } from './endings.ts'
import { observeHairpin, planHairpin } from './hairpin.ts'
import { HeldServices } from './held-services.ts'
import { TABLE } from './ruleset.ts'
import { formOf, renderForm, unsupportedIn } from './service-form.ts'
import { type Inspection, inspect, renewal } from './structure.ts'
import { desiredRoutes, planRoutes, type RoutePlan } from './vip-routes.ts'

/** What the plane needs of the kernel. */
export interface NftablesKernel {
  readonly nftables: Nftables
  readonly routes: RouteTables
  readonly conntrack: Conntrack
  /** Calls back for changes that others make to our table, to routes, addresses and links. */
  watch(listener: (event: KernelEvent) => void): void
  close(): void
}

/** What the plane is told. */
export interface NftablesPlaneOptions {
  /** Blocks of named VIPs: an address in them that is no VIP rejects at once. */
  readonly ranges: readonly Cidr[]
  /** This node's address, once known: the source of packets to VIPs. */
  readonly nodeIp: () => Ip | undefined
  readonly clock?: Clock
  readonly log?: Log
}

/** The `nftables` plane. */
export class NftablesPlane implements Plane {
  readonly kind = 'nftables'
  readonly #kernel: NftablesKernel
  readonly #options: NftablesPlaneOptions
  readonly #services = new HeldServices()
  readonly #endings: Endings
  #inspection: Inspection = inspect(undefined, [])
  #routePlan: RoutePlan = { defects: [], operations: [] }
  /** Whether the table must be read; routes are read each time, they are few. */
  #isTableStale = true
  /** How often the kernel refused to change the structure since it last did all that it should. */
  #refusals = 0
  #isWatching = false
  /** What the last inspection was made of; undefined: it is not to be relied on. */
  #inspected: { readonly generation: number; readonly nodeIp: Ip | undefined } | undefined
  #audits = 0

  constructor(kernel: NftablesKernel, options: NftablesPlaneOptions) {
    this.#kernel = kernel
    this.#options = options
    const { clock = systemClock, log = silentLog } = options
    const { conntrack } = kernel
    this.#endings = new Endings({ conntrack, services: this.#services, clock, log })
  }

  render(service: Service): string {
    return renderForm(formOf(service))
  }

  unsupported({ options }: Service): readonly UnsupportedOption[] {
    return unsupportedIn(options)
  }

  /** nf_tables could count by slot only, and a change of slots would lose the counts. */
  async statistics(): Promise<PlaneStatistics> {
    return new Map()
  }

  /** Once somebody listens it serves: flows that an earlier daemon left are this one's to end. */
  async observe(): Promise<PlaneObservation> {
    await this.#inspect()
    if (this.#isTableStale) {
      this.#isTableStale = false
      await this.#readServices()
    }
    if (this.#isWatching) this.#endings.noteObserved()
    const defects = [...this.#inspection.defects, ...this.#routePlan.defects]
    return { services: this.#services.renderings(), defects }
  }

  /** Repairs first: services need their sets. */
  async apply(operations: readonly PlaneOperation[]): Promise<readonly OperationOutcome[]> {
    const refusals = this.#refusals
    this.#endings.noteApplying(operations)
    const repairs: OperationOutcome[] = []
    for (const operation of operations) {
      if (operation.kind === 'repair') repairs.push(await this.#repair(operation))
    }
    const outcomes = [...repairs, ...(await this.#applyServices(operations))]
    this.#endings.noteApplied(operations)
    if (outcomes.some(({ error }) => error !== undefined)) this.#isTableStale = true
    if (this.#refusals === refusals) this.#refusals = 0
    return outcomes
  }

  /**
   * Reads little while nobody changed nf_tables, and links, addresses and routes are watched; now
   * and then all the same.
   */
  async audit(): Promise<boolean> {
    const isDue = ++this.#audits % AUDITS_PER_INSPECTION === 0
    if (isDue || !(await this.#isAsInspected())) await this.#inspect()
    return this.#inspection.defects.length === 0 && this.#routePlan.defects.length === 0
  }

  onChange(listener: (change: PlaneChange) => void): void {
    this.#isWatching = true
    const blocks = new Set(this.#options.ranges.map(formatCidr))
    this.#kernel.watch(({ kind, subject }) => {
      if (kind === 'route' && !blocks.has(subject)) return
      this.#inspected = undefined
      if (kind === 'nftables' || kind === 'overflow') this.#isTableStale = true
      listener({ subject: `${kind} ${subject}`, isOwn: kind === 'nftables' || kind === 'route' })
    })
  }

  async close(): Promise<void> {
    this.#endings.close()
    this.#kernel.close()
  }

  async #isAsInspected(): Promise<boolean> {
    const inspected = this.#inspected
    if (inspected === undefined || inspected.nodeIp !== this.#options.nodeIp()) return false
    return inspected.generation === (await this.#kernel.nftables.generation())
  }

  async #inspect(): Promise<void> {
    const { nftables, routes } = this.#kernel
    this.#inspected = undefined
    const nodeIp = this.#options.nodeIp()
    const generation = await nftables.generation() // before the rest: a change meanwhile is seen later
    const table = await nftables.table(TABLE)
    const look = this.#refusals < REFUSALS_UNTIL_RENEWAL ? inspect : renewal
    const inspection = look(table, this.#options.ranges)
    if (inspection.defects.length > 0) this.#isTableStale = true
    const hasHairpin = inspection.sets.has('hairpin')
    const held = hasHairpin ? await observeHairpin(nftables) : new Set<number>()
    const hairpin = planHairpin(await routes.links(), held)
    this.#inspection = inspection
    for (const defect of hairpin.defects) this.#addRepairs(hairpin.repairs, defect)
    this.#routePlan = await this.#planRoutes()
    const defects = [...this.#inspection.defects, ...this.#routePlan.defects]
    if (this.#isWatching && defects.length === 0) this.#inspected = { generation, nodeIp }
  }

  async #planRoutes(): Promise<RoutePlan> {
    const nodeIp = this.#options.nodeIp()
    if (nodeIp === undefined) return { defects: [], operations: [] }
    const addresses = await this.#kernel.routes.addresses()
    const desired = desiredRoutes(this.#options.ranges, addresses, nodeIp)
    return planRoutes(desired, await this.#kernel.routes.routes())
  }

  async #readServices(): Promise<void> {
    try {
      await this.#services.observe(this.#kernel.nftables, this.#inspection)
    } catch (error) {
      this.#isTableStale = true
      throw error
    }
    const repairs = this.#services.repairs()
    if (repairs.length > 0) this.#addRepairs(repairs, 'sets of own addresses differ')
  }

  #addRepairs(repairs: readonly NftOperation[], defect: string): void {
    this.#inspection = {
      ...this.#inspection,
      defects: [...this.#inspection.defects, defect],
      repairs: [...this.#inspection.repairs, ...repairs],
    }
  }

  async #repair(operation: PlaneOperation): Promise<OperationOutcome> {
    const { operations } = this.#routePlan
    const ofTable = await this.#change(this.#inspection.repairs)
    const routes = operations.length > 0 ? await this.#kernel.routes.applyRoutes(operations) : []
    const refusal = ofTable ?? routes.find(({ errno }) => errno !== 0)
    return refusal ? { operation, error: refused('repair the table', refusal) } : { operation }
  }

  async #applyServices(operations: readonly PlaneOperation[]): Promise<OperationOutcome[]> {
    const { nftables } = this.#kernel
    const services = operations.flatMap((operation) =>
      operation.kind === 'put' ? [operation.service] : [],
    )
    const unprepared = await this.#change(this.#services.prepare(services))
    const outcomes: OperationOutcome[] = []
    const changes: (Change & {
      readonly operation: PlaneOperation
      readonly confirm: () => void
    })[] = []
    for (const [index, operation] of operations.entries()) {
      if (operation.kind === 'repair') continue
      if (operation.kind === 'put' && unprepared !== undefined) {
        outcomes.push({ operation, error: refused('make the chains of services', unprepared) })
        continue
      }
      const { key } = operation
      const change =
        operation.kind === 'put'
          ? this.#services.put(key, operation.service)
          : this.#services.remove(key)
      changes.push({ index, operation, operations: change.operations, confirm: change.confirm })
    }
    const refusals = await commitChanges(nftables, changes)
    for (const { index, operation, confirm } of changes) {
      const refusal = refusals.get(index)
      if (refusal === undefined) confirm()
      const error = refusal && refused(describe(operation), refusal)
      outcomes.push(error === undefined ? { operation } : { operation, error })
    }
    await this.#change(this.#services.prune())
    return outcomes
  }

  /**
   * Changes the structure. Should the kernel refuse, the table is read anew, which shows what it
   * has; should it refuse again, the table is made anew.
   *
   * @returns the refusal
   */
  async #change(operations: readonly NftOperation[]): Promise<OperationResult | undefined> {
    if (operations.length === 0) return undefined
    const results = await this.#kernel.nftables.transaction(operations)
    const refusal = results.find(({ errno }) => errno !== 0)
    if (refusal === undefined) return undefined
    this.#refusals++
    this.#isTableStale = true
    return refusal
  }
}

/** Of so many audits, one reads everything. */
const AUDITS_PER_INSPECTION = 16

/** A refusal may come of a change between reading and writing; a second one hardly does. */
const REFUSALS_UNTIL_RENEWAL = 2

function describe(operation: PlaneOperation): string {
  return operation.kind === 'repair' ? 'repair' : `${operation.kind} ${operation.key}`
}

function refused(attempt: string, { name, errno, message }: OperationResult): NavstarError {
  const cause = `${name} (${errno})${message === undefined ? '' : `: ${message}`}`
  return new NavstarError('KERNEL_OPERATION_FAILED', { attempt, cause })
}
