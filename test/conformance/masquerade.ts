/** What an operator adds beside plane `ipvs` on a kernel without nf_tables of family inet. */
import { run } from '../../src/demo/run.ts'
import { openNamespace } from '../../src/kernel/namespace.ts'
import { canGuard } from '../../src/l4lb/planes/ipvs/guard.ts'
import { ADDRESSES, BRIDGE, type Places } from './network.ts'

/** Only what turns round: from and to the containers' bridge, or the uplink. */
const RULES = ([4, 6] as const).flatMap((family) => {
  const prefix = family === 4 ? 24 : 64
  const bridge = `${BRIDGE[family]}/${prefix}`
  const uplink = `${ADDRESSES.host[family]}/${prefix}`
  return [
    { family, match: ['-s', bridge, '-d', bridge, '!', '--src-type', 'LOCAL'] },
    { family, match: ['-s', uplink, '-d', uplink, '!', '--src-type', 'LOCAL'] },
  ]
})

/** Whether the kernel has nf_tables for IPv4 and IPv6. */
export async function hasNftables({ paths }: Places): Promise<boolean> {
  const opened = await openNamespace(paths.hostNamespace)
  try {
    return await canGuard(opened.nftables)
  } finally {
    opened.close()
  }
}

/** Adds rules of iptables on the host where the plane cannot have its own table. */
export async function masqueradeForIpvs(places: Places): Promise<void> {
  if (await hasNftables(places)) return
  for (const { family, match } of RULES) {
    const command = family === 4 ? 'iptables-legacy' : 'ip6tables-legacy'
    const connection = '-m ipvs --ipvs --vdir ORIGINAL --vmethod MASQ -j MASQUERADE'
    const rule = ['-t', 'nat', '-A', 'POSTROUTING', '-m', 'addrtype', ...match]
    const enter = ['netns', 'exec', places.namespace('host'), command]
    await run('ip', [...enter, ...rule, ...connection.split(' ')])
  }
}
