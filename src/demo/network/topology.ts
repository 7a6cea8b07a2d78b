/**
 * The network of a demo: a fabric namespace with a bridge, hosts with one leg on it, and on each
 * host a bridge with containers.
 *
 * ```
 *  fabric (10.99.0.254, fd99::fe) ── eth0 host h1 (10.99.0.1, fd99::1) ── c0 ── containers
 *                                                            172.31.1.1    172.31.1.11 …
 * ```
 */
import { mkdir, writeFile } from 'node:fs/promises'
import type { DemoPlaces, HostPlaces } from '../places/places.ts'
import { ipBatch, run } from '../run.ts'

/** Where DNS listens on every host, as in DC/OS. */
export const DNS_ADDRESS = '198.51.100.1'

/** The addresses of a host, by its number from 1 on. */
export interface HostAddresses {
  readonly ip: string
  readonly ip6: string
  /** The container with this number, from 1 on. */
  container(index: number): { readonly ip: string; readonly ip6: string }
}

/** The addresses of host `number`. */
export function hostAddresses(number: number): HostAddresses {
  return {
    ip: `10.99.0.${number}`,
    ip6: `fd99::${number}`,
    container: (index) => ({
      ip: `172.31.${number}.${10 + index}`,
      ip6: `fd31:${number}::${10 + index}`,
    }),
  }
}

/** Makes the fabric. */
export async function addFabric({ fabric }: DemoPlaces): Promise<void> {
  await ipBatch([`netns add ${fabric}`])
  await quiet(fabric)
  await ipBatch([`link add name br0 netns ${fabric} type bridge`])
  await ipIn(fabric, [
    'link set lo up',
    'link set br0 up',
    'address add 10.99.0.254/24 dev br0',
    'address add fd99::fe/64 dev br0 nodad',
  ])
}

/** Makes a host with containers, all empty. */
export async function addHost(
  demo: DemoPlaces,
  host: HostPlaces,
  { number, containers }: { readonly number: number; readonly containers: number },
): Promise<void> {
  const { ip, ip6 } = hostAddresses(number)
  await ipBatch([`netns add ${host.namespace}`])
  await quiet(host.namespace)
  await ipBatch([
    `link add name eth0 netns ${host.namespace} type veth peer name ${host.name} netns ${demo.fabric}`,
    `link add name c0 netns ${host.namespace} type bridge`,
  ])
  await ipIn(demo.fabric, [`link set ${host.name} master br0 up`])
  await ipIn(host.namespace, [
    'link set lo up',
    'link set eth0 up',
    'link set c0 up',
    `address add ${DNS_ADDRESS}/32 dev lo`,
    `address add ${ip}/24 dev eth0`,
    `address add ${ip6}/64 dev eth0 nodad`,
    `address add 172.31.${number}.1/24 dev c0`,
    `address add fd31:${number}::1/64 dev c0 nodad`,
    'route add default via 10.99.0.254',
    '-6 route add default via fd99::fe',
  ])
  for (let index = 1; index <= containers; index++) await addContainer(host, number, index)
  await nameResolvers(host)
}

/** Makes one container: a namespace with an address on the host's bridge. */
async function addContainer(host: HostPlaces, number: number, index: number): Promise<void> {
  const namespace = host.container(index)
  const { ip, ip6 } = hostAddresses(number).container(index)
  await ipBatch([`netns add ${namespace}`])
  await quiet(namespace)
  await ipBatch([
    `link add name c0v${index} netns ${host.namespace} type veth peer name eth0 netns ${namespace}`,
  ])
  // A container reaches itself through a VIP only by a port that turns frames round, as the
  // CNI bridge plugin sets it (hairpinMode).
  await ipIn(host.namespace, [
    `link set c0v${index} master c0 up`,
    `link set c0v${index} type bridge_slave hairpin on`,
  ])
  await ipIn(namespace, [
    'link set lo up',
    'link set eth0 up',
    `address add ${ip}/24 dev eth0`,
    `address add ${ip6}/64 dev eth0 nodad`,
    `route add default via 172.31.${number}.1`,
    `-6 route add default via fd31:${number}::1`,
  ])
  await nameResolvers({ namespace })
}

async function ipIn(namespace: string, lines: readonly string[]): Promise<void> {
  const [first, second] = [
    lines.filter((line) => !line.startsWith('-6 ')),
    lines.filter((line) => line.startsWith('-6 ')),
  ]
  await run('ip', ['-n', namespace, '-batch', '-'], `${first.join('\n')}\n`)
  if (second.length === 0) return
  const lines6 = second.map((line) => line.slice(3)).join('\n')
  await run('ip', ['-6', '-n', namespace, '-batch', '-'], `${lines6}\n`)
}

/** Forwarding on; no address detection delays, no router advertisements. */
async function quiet(namespace: string): Promise<void> {
  const settings = [
    'echo 1 > ipv4/ip_forward',
    'echo 1 > ipv6/conf/all/forwarding',
    'echo 0 > ipv6/conf/default/accept_dad',
    'echo 0 > ipv6/conf/all/accept_dad',
    'echo 0 > ipv6/conf/default/accept_ra',
  ]
  const script = ['cd /proc/sys/net', ...settings].join(' && ')
  await run('ip', ['netns', 'exec', namespace, 'sh', '-c', script])
}

/** `ip netns exec` shows this file as /etc/resolv.conf. */
async function nameResolvers({ namespace }: { readonly namespace: string }): Promise<void> {
  await mkdir(`/etc/netns/${namespace}`, { recursive: true })
  await writeFile(
    `/etc/netns/${namespace}/resolv.conf`,
    `nameserver ${DNS_ADDRESS}\noptions timeout:1 attempts:3\n`,
  )
}
