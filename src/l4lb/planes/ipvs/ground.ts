/** What services stand on: settings, local routes, and the table beside IPVS. */
import { NavstarError } from '../../../base/error.ts'
import type { Ipvs } from '../../../kernel/ipvs.ts'
import type { Nftables } from '../../../kernel/nftables.ts'
import type { KernelEvent, OperationResult } from '../../../kernel/operation.ts'
import type { RouteOperation, RouteTables } from '../../../kernel/routes.ts'
import type { Sysctls } from '../../../kernel/sysctls.ts'
import type { Cidr } from '../../../model/cidr.ts'
import type { Ip } from '../../../model/ip.ts'
import { canGuard, type GuardPlan, planGuard } from './guard.ts'
import { desiredRoutes, literalVips, planRoutes, type RoutePlan } from './local-routes.ts'
import { applySettings, planSettings, type SettingsPlan } from './settings.ts'

/** What the plane needs of the kernel. */
export interface IpvsKernel {
  readonly ipvs: Ipvs
  readonly routes: RouteTables
  readonly nftables: Nftables
  readonly sysctls: Sysctls
  /** Calls back for changes that others make to routes, addresses and links. */
  watch(listener: (event: KernelEvent) => void): void
  close(): void
}

/** What the plane is told. */
export interface IpvsPlaneOptions {
  /** Blocks of named VIPs: an address in them that is no VIP rejects at once. */
  readonly ranges: readonly Cidr[]
  /** This node's address, once known: the source of packets to VIPs. */
  readonly nodeIp: () => Ip | undefined
}

/** What is missing or wrong, and what mends it. */
export interface GroundPlan {
  readonly defects: readonly string[]
  readonly settings: SettingsPlan
  readonly routes: RoutePlan
  readonly guard: GuardPlan
}

/** Inspects and mends the ground. */
export class Ground {
  readonly #kernel: Omit<IpvsKernel, 'watch' | 'close'>
  readonly #options: IpvsPlaneOptions
  #canGuard: boolean | undefined

  constructor(kernel: IpvsKernel, options: IpvsPlaneOptions) {
    this.#kernel = kernel
    this.#options = options
  }

  /** Compares with what services at these addresses need. @throws NavstarError `KERNEL_READ_FAILED` */
  async plan(vips: ReadonlySet<Ip>): Promise<GroundPlan> {
    const { ipvs, routes, nftables, sysctls } = this.#kernel
    const { ranges, nodeIp } = this.#options
    const settings = await planSettings(sysctls, ipvs)
    const addresses = await routes.addresses()
    const own = nodeIp()
    const routePlan =
      own === undefined
        ? { defects: [], additions: [], removals: [] }
        : planRoutes(desiredRoutes({ ranges, vips, addresses, nodeIp: own }), await routes.routes())
    this.#canGuard ??= await canGuard(nftables)
    const literals = literalVips({ ranges, vips, addresses })
    const guard = this.#canGuard
      ? await planGuard(nftables, { ranges, literals, links: await routes.links() })
      : { defects: [], operations: [] }
    return {
      defects: [...settings.defects, ...routePlan.defects, ...guard.defects],
      settings,
      routes: routePlan,
      guard,
    }
  }

  /** @throws NavstarError `KERNEL_OPERATION_FAILED` */
  async mend({ settings, routes, guard }: GroundPlan): Promise<void> {
    const { ipvs, nftables, sysctls } = this.#kernel
    await applySettings(settings, sysctls, ipvs)
    await this.#applyRoutes(routes.additions)
    if (guard.operations.length > 0) {
      check('mend the table beside IPVS', await nftables.transaction(guard.operations))
    }
    await this.#applyRoutes(routes.removals)
  }

  async #applyRoutes(operations: readonly RouteOperation[]): Promise<void> {
    if (operations.length === 0) return
    check('mend routes to VIPs', await this.#kernel.routes.applyRoutes(operations))
  }
}

/** @throws NavstarError `KERNEL_OPERATION_FAILED` of the first refusal */
export function check(attempt: string, results: readonly OperationResult[]): void {
  const refusal = results.find(({ errno }) => errno !== 0)
  if (refusal !== undefined) throw refused(attempt, refusal)
}

/** The error of an operation that the kernel refused. */
export function refused(attempt: string, { name, errno, message }: OperationResult): NavstarError {
  const cause = `${name} (${errno})${message === undefined ? '' : `: ${message}`}`
  return new NavstarError('KERNEL_OPERATION_FAILED', { attempt, cause })
}
