/**
 * The network of a demo: a fabric namespace with a bridge, hosts with one leg on it, and on each
 * host a bridge with containers. Hosts route to each other's containers.
 *
 * ```
 *  fabric (10.99.0.254, fd99::fe) ── eth0 host h1 (10.99.0.1, fd99::1) ── c0 ── containers
 *                                                            172.31.1.1    172.31.1.11 …
 * ```
 */
import { mkdir, writeFile } from 'node:fs/promises'
import type { DemoPlaces, HostPlaces } from '../places/places.ts'
import { ipBatch } from '../run.ts'
import { DNS_ADDRESS, hostAddresses } from './addresses.ts'
import { WHOLE } from './fabric.ts'
import { ipIn, quiet } from './ip-command.ts'

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
  await ipIn(demo.fabric, [`link set ${host.name} master ${WHOLE} up`])
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

/** Makes a host route to the containers of others, by their numbers. */
export async function addRoutes(host: HostPlaces, others: readonly number[]): Promise<void> {
  const lines = others
    .map(hostAddresses)
    .flatMap(({ ip, ip6, containers, containers6 }) => [
      `route replace ${containers} via ${ip}`,
      `-6 route replace ${containers6} via ${ip6}`,
    ])
  await ipIn(host.namespace, lines)
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

/** `ip netns exec` shows this file as /etc/resolv.conf. */
async function nameResolvers({ namespace }: { readonly namespace: string }): Promise<void> {
  await mkdir(`/etc/netns/${namespace}`, { recursive: true })
  await writeFile(
    `/etc/netns/${namespace}/resolv.conf`,
    `nameserver ${DNS_ADDRESS}\noptions timeout:1 attempts:3\n`,
  )
}
