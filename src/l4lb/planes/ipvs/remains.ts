/**
 * The `ipvs` plane when another one serves: services that take no new connection, with the routes
 * and the table that their open connections need. Where the other plane translates, it does so
 * before IPVS sees the packet.
 */
import type { IpvsOperation } from '../../../kernel/ipvs.ts'
import type { Remains } from '../remains.ts'
import { check, type IpvsKernel } from './ground.ts'
import { guardTable } from './guard.ts'
import { GUARD_TABLE } from './guard-rules.ts'
import { changeForm, observeOwn, sweepOperations } from './held-services.ts'
import { planRoutes } from './local-routes.ts'
import { formOfObserved, isLeavingService, leavingForm } from './service-form.ts'

/** Where the remains are. */
export type IpvsRemainsKernel = Omit<IpvsKernel, 'sysctls' | 'watch'>

/** Services, routes and the table of a network namespace. */
export class IpvsRemains implements Remains {
  readonly kind = 'ipvs'
  readonly #kernel: IpvsRemainsKernel

  constructor(kernel: IpvsRemainsKernel) {
    this.#kernel = kernel
  }

  async retire(): Promise<boolean> {
    const { ipvs, routes, nftables } = this.#kernel
    const own = await observeOwn(ipvs)
    const operations = own
      .filter((service) => !isLeavingService(service))
      .flatMap((observed): IpvsOperation[] => {
        const held = formOfObserved(observed)
        const { first, destinations } = changeForm(held, leavingForm(held))
        return [...first, ...destinations]
      })
    if (operations.length > 0) check('retire services of IPVS', await ipvs.apply(operations))
    const { removals } = planRoutes([], await routes.routes())
    return own.length > 0 || removals.length > 0 || (await guardTable(nftables)) !== undefined
  }

  async sweep(): Promise<boolean> {
    const { ipvs, routes, nftables } = this.#kernel
    const operations = sweepOperations(await observeOwn(ipvs))
    if (operations.length > 0) check('remove services of IPVS', await ipvs.apply(operations))
    if ((await observeOwn(ipvs)).length > 0) return false
    const { removals } = planRoutes([], await routes.routes())
    if (removals.length > 0) check('remove routes to VIPs', await routes.applyRoutes(removals))
    if ((await guardTable(nftables)) !== undefined) {
      const removal = { kind: 'deleteTable', table: GUARD_TABLE } as const
      check('remove the table beside IPVS', await nftables.transaction([removal]))
    }
    return true
  }

  close(): void {
    this.#kernel.close()
  }
}
