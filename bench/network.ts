/** One server namespace; client namespaces, each on a link of its own to it. */
import { mkdir } from 'node:fs/promises'
import type { HostPlaces } from '../src/demo/places/places.ts'
import { ipBatch, run } from '../src/demo/run.ts'
import type { Ip } from '../src/model/ip.ts'

/** The addresses of both ends of client `number`'s link. */
export function linkAddresses(number: number): { readonly client: Ip; readonly server: Ip } {
  return { client: `10.200.${number}.2` as Ip, server: `10.200.${number}.1` as Ip }
}

/** Makes an empty namespace and the host's cgroup. */
export async function addNamespace(host: HostPlaces): Promise<void> {
  await mkdir(host.cgroup, { recursive: true })
  await ipBatch([`netns add ${host.namespace}`])
  await ipIn(host, ['link set lo up'])
}

/** Makes a client's namespace and its link to the server. */
export async function addClient(
  client: HostPlaces,
  server: HostPlaces,
  number: number,
): Promise<void> {
  await addNamespace(client)
  const addresses = linkAddresses(number)
  await ipBatch([
    `link add name eth0 netns ${client.namespace} type veth peer name c${number} netns ${server.namespace}`,
  ])
  await ipIn(server, [
    `address add ${addresses.server}/24 dev c${number}`,
    `link set c${number} up`,
  ])
  await ipIn(client, [`address add ${addresses.client}/24 dev eth0`, 'link set eth0 up'])
  // All ports, so that none comes round within one load.
  await inNamespace(client, 'echo 1024 65535 > /proc/sys/net/ipv4/ip_local_port_range')
}

/**
 * Has conntrack forget closed connections after 10 s instead of 120: the loads make more of them
 * than its table holds, no matter through which path.
 */
export async function shortenConntrackMemory(client: HostPlaces): Promise<void> {
  const name = 'nf_conntrack_tcp_timeout_time_wait'
  await inNamespace(client, `echo 10 > /proc/sys/net/netfilter/${name}`)
}

/** Runs a line of shell in the namespace. */
export async function inNamespace(host: HostPlaces, line: string): Promise<string> {
  return run('nsenter', [`--net=${host.namespacePath}`, 'sh', '-c', line])
}

async function ipIn(host: HostPlaces, lines: readonly string[]): Promise<void> {
  await run('ip', ['-n', host.namespace, '-batch', '-'], `${lines.join('\n')}\n`)
}
