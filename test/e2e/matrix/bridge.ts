/**
 * The network that Mesos' bridge and port mapper make on each host: a bridge with the same addresses
 * everywhere, which nobody outside reaches but by mapped ports.
 *
 * **Source:** Mesos `src/slave/containerizer/mesos/isolators/network/cni/plugins/port_mapper`
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { DNS_ADDRESS } from '../../../src/demo/network/addresses.ts'
import { ipIn, quiet } from '../../../src/demo/network/ip-command.ts'
import type { HostPlaces } from '../../../src/demo/places/places.ts'
import { ipBatch, run } from '../../../src/demo/run.ts'

/** A port of the host that leads into a container. */
export interface Mapping {
  readonly hostPort: number
  readonly address: string
  readonly port: number
}

/** Namespace and addresses of a container on a host's bridge, by number from 1 on. */
export function bridged(host: HostPlaces, index: number) {
  return {
    namespace: `${host.namespace}-m${index}`,
    ip: `192.168.77.${10 + index}`,
    ip6: `fd77::${10 + index}`,
  }
}

/** Makes the bridge with its containers. */
export async function addBridge(host: HostPlaces, containers: number): Promise<void> {
  await ipBatch([`link add name m0 netns ${host.namespace} type bridge`])
  await ipIn(host.namespace, [
    'link set m0 up',
    'address add 192.168.77.1/24 dev m0',
    'address add fd77::1/64 dev m0 nodad',
  ])
  for (let index = 1; index <= containers; index++) await addContainer(host, index)
}

async function addContainer(host: HostPlaces, index: number): Promise<void> {
  const { namespace, ip, ip6 } = bridged(host, index)
  await ipBatch([`netns add ${namespace}`])
  await quiet(namespace)
  await ipBatch([
    `link add name m0v${index} netns ${host.namespace} type veth peer name eth0 netns ${namespace}`,
  ])
  await ipIn(host.namespace, [
    `link set m0v${index} master m0 up`,
    `link set m0v${index} type bridge_slave hairpin on`,
  ])
  await ipIn(namespace, [
    'link set lo up',
    'link set eth0 up',
    `address add ${ip}/24 dev eth0`,
    `address add ${ip6}/64 dev eth0 nodad`,
    'route add default via 192.168.77.1',
    '-6 route add default via fd77::1',
  ])
  await mkdir(`/etc/netns/${namespace}`, { recursive: true })
  await writeFile(`/etc/netns/${namespace}/resolv.conf`, `nameserver ${DNS_ADDRESS}\n`)
}

/** Maps ports as the port mapper does: for what is addressed to the host, from outside and from itself. */
export async function mapPorts(host: HostPlaces, mappings: readonly Mapping[]): Promise<void> {
  const rules = ['tcp', 'udp'].flatMap((protocol) =>
    mappings.map(
      ({ hostPort, address, port }) =>
        `fib daddr type local ${protocol} dport ${hostPort} dnat to ${address}:${port}`,
    ),
  )
  const leave = (family: string, subnet: string) => `
      chain postrouting {
        type nat hook postrouting priority srcnat
        ${family} saddr ${subnet} oifname eth0 masquerade
      }`
  const ruleset = `
    table ip mapper {
      chain prerouting {
        type nat hook prerouting priority dstnat
        ${rules.join('\n')}
      }
      chain output {
        type nat hook output priority -100
        ip daddr 127.0.0.0/8 return
        ${rules.join('\n')}
      }
      ${leave('ip', '192.168.77.0/24')}
    }
    table ip6 mapper {
      ${leave('ip6', 'fd77::/64')}
    }
`
  await run('ip', ['netns', 'exec', host.namespace, 'nft', '-f', '-'], ruleset)
}
