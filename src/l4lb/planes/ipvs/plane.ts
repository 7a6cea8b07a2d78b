/**
 * VIPs by IPVS, the kernel's own load balancer.
 *
 * IPVS tells nobody of changes, so each audit reads it. It also takes away what only waited for
 * its connections to end.
 */
import { type NavstarError, toNavstarError } from '../../../base/error.ts'
import { contains, formatCidr } from '../../../model/cidr.ts'
import type { Ip } from '../../../model/ip.ts'
import { parseServiceKey, type Service } from '../../../model/vip.ts'
import type {
  OperationOutcome,
  Plane,
  PlaneChange,
  PlaneObservation,
  PlaneOperation,
  PlaneStatistics,
  UnsupportedOption,
} from '../../plane.ts'
import { unsupportedByIpvs } from './abilities.ts'
import {
  check,
  Ground,
  type GroundPlan,
  type IpvsKernel,
  type IpvsPlaneOptions,
  refused,
} from './ground.ts'
import {
  HeldServices,
  type IpvsChange,
  isGoneAlready,
  observeOwn,
  sweepOperations,
} from './held-services.ts'

import { formOf, renderForm } from './service-form.ts'
import { statisticsOf } from './statistics.ts'

type ServiceOperation = Exclude<PlaneOperation, { kind: 'repair' }>

interface PlannedChange extends IpvsChange {
  readonly operation: ServiceOperation
}

/** The `ipvs` plane. */
export class IpvsPlane implements Plane {
  readonly kind = 'ipvs'
  readonly #kernel: IpvsKernel
  readonly #options: IpvsPlaneOptions
  readonly #services = new HeldServices()
  readonly #ground: Ground
  /** Whether an address is outside of the blocks: asked of every service at each audit. */
  readonly #literals = new Map<Ip, boolean>()

  constructor(kernel: IpvsKernel, options: IpvsPlaneOptions) {
    this.#kernel = kernel
    this.#options = options
    this.#ground = new Ground(kernel, options)
  }

  render(service: Service): string {
    return renderForm(formOf(service))
  }

  unsupported({ options }: Service): readonly UnsupportedOption[] {
    return unsupportedByIpvs(options)
  }

  async statistics(): Promise<PlaneStatistics> {
    return statisticsOf(await this.#kernel.ipvs.observe())
  }

  async observe(): Promise<PlaneObservation> {
    const found = await this.#services.compare(await observeOwn(this.#kernel.ipvs))
    found.adopt()
    const { defects } = await this.#inspect()
    return { services: this.#services.renderings(), defects }
  }

  /** Repairs first. A literal VIP has its route before its service, and loses it after. */
  async apply(operations: readonly PlaneOperation[]): Promise<readonly OperationOutcome[]> {
    const outcomes: OperationOutcome[] = []
    for (const operation of operations) {
      if (operation.kind !== 'repair') continue
      const error = await this.#mend()
      outcomes.push(error === undefined ? { operation } : { operation, error })
    }
    const changes = operations.filter((each): each is ServiceOperation => each.kind !== 'repair')
    const literal = new Set(changes.filter((change) => this.#isLiteral(addressOf(change))))
    const arriving = [...literal].filter(({ kind }) => kind === 'put').map(addressOf)
    const unprepared = arriving.length > 0 ? await this.#mend(arriving) : undefined
    const isStopped = (each: ServiceOperation) => unprepared !== undefined && literal.has(each)
    for (const operation of changes.filter(isStopped)) {
      outcomes.push({ operation, ...(unprepared && { error: unprepared }) })
    }
    outcomes.push(...(await this.#applyServices(changes.filter((each) => !isStopped(each)))))
    if (literal.size > 0) await this.#mend() // what fails here, the next audit finds
    return outcomes
  }

  async audit(): Promise<boolean> {
    const { ipvs } = this.#kernel
    const observed = await observeOwn(ipvs)
    const sweep = sweepOperations(observed)
    let found = await this.#services.compare(observed)
    const isIntact = found.isSame
    if (sweep.length > 0) {
      check('remove what has no connection any more', await ipvs.apply(sweep))
      found = await this.#services.compare(await observeOwn(ipvs))
    }
    if (isIntact) found.adopt()
    if (isIntact && sweep.length > 0) await this.#mend()
    const { defects } = await this.#inspect()
    return isIntact && defects.length === 0
  }

  onChange(listener: (change: PlaneChange) => void): void {
    const blocks = new Set(this.#options.ranges.map(formatCidr))
    this.#kernel.watch(({ kind, subject }) => {
      if (kind === 'nftables' || (kind === 'route' && !blocks.has(subject))) return
      listener({ subject: `${kind} ${subject}`, isOwn: kind === 'route' })
    })
  }

  async close(): Promise<void> {
    this.#kernel.close()
  }

  #isLiteral(address: Ip): boolean {
    const known = this.#literals.get(address)
    if (known !== undefined) return known
    const isLiteral = !this.#options.ranges.some((range) => contains(range, address))
    if (this.#literals.size >= MOST_ADDRESSES) this.#literals.clear()
    this.#literals.set(address, isLiteral)
    return isLiteral
  }

  /** @param arriving addresses of services that are about to be */
  #inspect(arriving: readonly Ip[] = []): Promise<GroundPlan> {
    const held = [...this.#services.addresses()].filter((address) => this.#isLiteral(address))
    return this.#ground.plan(new Set([...held, ...arriving]))
  }

  /** @returns why it could not be mended */
  async #mend(arriving: readonly Ip[] = []): Promise<NavstarError | undefined> {
    try {
      await this.#ground.mend(await this.#inspect(arriving))
      return undefined
    } catch (error) {
      return toNavstarError(error, 'mend what IPVS stands on')
    }
  }

  async #applyServices(changes: readonly ServiceOperation[]): Promise<OperationOutcome[]> {
    const planned = changes.map((operation): PlannedChange => {
      const { kind, key } = operation
      const change =
        kind === 'put' ? this.#services.put(key, operation.service) : this.#services.remove(key)
      return { operation, ...change }
    })
    const errors = new Map<ServiceOperation, NavstarError>()
    for (const step of ['first', 'destinations'] as const) {
      await this.#run(
        planned.filter(({ operation }) => !errors.has(operation)),
        step,
        errors,
      )
    }
    return planned.map(({ operation, confirm }) => {
      const error = errors.get(operation)
      if (error !== undefined) return { operation, error }
      confirm()
      return { operation }
    })
  }

  async #run(
    planned: readonly PlannedChange[],
    step: 'first' | 'destinations',
    errors: Map<ServiceOperation, NavstarError>,
  ): Promise<void> {
    const steps = planned.flatMap((change) =>
      change[step].map((operation) => ({ owner: change.operation, operation })),
    )
    for (let at = 0; at < steps.length; at += OPERATIONS_PER_BATCH) {
      const batch = steps.slice(at, at + OPERATIONS_PER_BATCH)
      const results = await this.#kernel.ipvs.apply(batch.map(({ operation }) => operation))
      for (const [index, { owner, operation }] of batch.entries()) {
        const result = results[index]
        if (result === undefined || result.errno === 0 || isGoneAlready(operation, result)) continue
        if (!errors.has(owner)) errors.set(owner, refused(`${owner.kind} ${owner.key}`, result))
      }
    }
  }
}

/** The namespace's thread has time for others between. */
const OPERATIONS_PER_BATCH = 8192

const MOST_ADDRESSES = 100_000

function addressOf({ key }: ServiceOperation): Ip {
  return parseServiceKey(key).address
}
