/** Whether this kernel has IPVS, and what it lacks beside it. */
import { openNamespace } from '../../../kernel/namespace.ts'
import { canGuard, WITHOUT_GUARD } from './guard.ts'

/**
 * Asks the kernel, which loads the module where it can; leaves nothing.
 *
 * @returns what the plane will do @throws Error with the reason why it cannot
 */
export async function tryIpvs(): Promise<string> {
  const namespace = await openNamespace()
  try {
    const information = await namespace.ipvs.information()
    if (information === undefined) throw new Error('this kernel has no IPVS (module ip_vs)')
    const does = `IPVS ${information.version} translates connections in this network namespace`
    if (await canGuard(namespace.nftables)) return does
    return `${does}; without nf_tables of family inet it does not serve ${WITHOUT_GUARD.join(', nor refuse ')}`
  } finally {
    namespace.close()
  }
}
