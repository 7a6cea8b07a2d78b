/**
 * The network of a rig: a host with three containers on a bridge, and a remote host.
 *
 * ```
 *  remote (10.98.0.2, fd98::2) ── eth0 host (10.98.0.1, fd98::1) ── c0 ── containers 1 … 3
 *  192.0.2.50, 2001:db8::50                       172.30.0.1, fd30::1     172.30.0.11 …, fd30::11 …
 * ```
 */
import { mkdir, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ipBatch, run } from '../../src/demo/run.ts'
import { ensureBpfMount, findCgroupRoot } from '../../src/kernel/mounts.ts'

/** The places of the network, each a namespace. */
export const SITES = ['host', 'c1', 'c2', 'c3', 'remote'] as const

/** The name of a place. */
export type Site = (typeof SITES)[number]

/** The address of each place that backends listen on, by family. */
export const ADDRESSES: Readonly<Record<Site, Readonly<Record<4 | 6, string>>>> = {
  host: { 4: '10.98.0.1', 6: 'fd98::1' },
  c1: { 4: '172.30.0.11', 6: 'fd30::11' },
  c2: { 4: '172.30.0.12', 6: 'fd30::12' },
  c3: { 4: '172.30.0.13', 6: 'fd30::13' },
  remote: { 4: '10.98.0.2', 6: 'fd98::2' },
}

/** The host's first address on eth0, which is not its node address. */
export const UPLINK: Readonly<Record<4 | 6, string>> = { 4: '10.98.0.200', 6: 'fd98::1' }

/** The host's address on the containers' bridge. */
export const BRIDGE: Readonly<Record<4 | 6, string>> = { 4: '172.30.0.1', 6: 'fd30::1' }

/** Addresses outside the VIP blocks that the remote host has. */
export const ELSEWHERE: Readonly<Record<4 | 6, string>> = { 4: '192.0.2.50', 6: '2001:db8::50' }

const PREFIX = 'nsv-conf-'

/** Where a plane is opened. */
export interface PlacePaths {
  readonly hostNamespace: string
  /** The cgroup that the `ebpf` plane serves. */
  readonly inside: string
  readonly pinDirectory: string
}

/** The names of the kernel objects of one rig. */
export interface Places {
  readonly paths: PlacePaths
  /** Holds {@link Places.inside} and {@link Places.outside}. */
  readonly cgroup: string
  /** The cgroup that the `ebpf` plane serves. */
  readonly inside: string
  /** Another cgroup, which it does not serve. */
  readonly outside: string
  readonly pinDirectory: string
  namespace(site: Site): string
  namespacePath(site: Site): string
}

/**
 * Makes the network, after removing what rigs that died have left.
 *
 * @param seesBridged whether netfilter sees frames that the bridge forwards between containers
 * (`bridge-nf-call-iptables`); then a port must turn frames round, as CNI's `hairpinMode` does
 */
export async function openNetwork(seesBridged: boolean): Promise<Places> {
  const cgroupRoot = await findCgroupRoot()
  if (cgroupRoot === undefined) throw new Error('cgroup2 is not mounted')
  await ensureBpfMount()
  await sweep(cgroupRoot)
  const places = placesOf(process.pid, cgroupRoot)
  await removeNetwork(places)
  for (const cgroup of [places.inside, places.outside]) await mkdir(cgroup, { recursive: true })
  await mkdir(places.pinDirectory, { recursive: true })
  await ipBatch(SITES.map((site) => `netns add ${places.namespace(site)}`))
  await Promise.all(SITES.map((site) => quiet(places.namespace(site))))
  await addLinks(places)
  await setBridge(places.namespace('host'), seesBridged)
  return places
}

/** Ends every process of the rig and removes its kernel objects. */
export async function removeNetwork(places: Places): Promise<void> {
  await endProcesses(places.cgroup)
  const present = new Set(await list('/run/netns'))
  const own = SITES.map((site) => places.namespace(site)).filter((name) => present.has(name))
  if (own.length > 0) await ipBatch(own.map((name) => `netns delete ${name}`))
  await rm(places.pinDirectory, { recursive: true, force: true })
  for (const path of [places.inside, places.outside, places.cgroup]) {
    await rmdir(path).catch(() => undefined) // it was never made
  }
}

function placesOf(pid: number, cgroupRoot: string): Places {
  const cgroup = join(cgroupRoot, `${PREFIX}${pid}`)
  const namespace = (site: Site) => `${PREFIX}${pid}-${site}`
  const namespacePath = (site: Site) => `/run/netns/${namespace(site)}`
  const inside = join(cgroup, 'inside')
  const pinDirectory = `/sys/fs/bpf/${PREFIX}${pid}`
  return {
    paths: { hostNamespace: namespacePath('host'), inside, pinDirectory },
    cgroup,
    inside,
    outside: join(cgroup, 'outside'),
    pinDirectory,
    namespace,
    namespacePath,
  }
}

/** Every object of a rig has its process' number in the name; those of ended processes go. */
async function sweep(cgroupRoot: string): Promise<void> {
  const names = await Promise.all(['/run/netns', cgroupRoot, '/sys/fs/bpf'].map(list))
  const pids = names.flat().flatMap((name) => /^nsv-conf-(\d+)/.exec(name)?.[1] ?? [])
  for (const pid of new Set(pids)) {
    const isAlive = (await list(`/proc/${pid}`)).length > 0
    if (!isAlive) await removeNetwork(placesOf(Number(pid), cgroupRoot))
  }
}

async function addLinks(places: Places): Promise<void> {
  const [host, remote] = [places.namespace('host'), places.namespace('remote')]
  const containers = (['c1', 'c2', 'c3'] as const).map((site) => ({
    site,
    name: places.namespace(site),
  }))
  await ipBatch([
    `link add name eth0 netns ${host} type veth peer name eth0 netns ${remote}`,
    `link add name c0 netns ${host} type bridge`,
    ...containers.map(
      ({ site, name }) =>
        `link add name ${site} netns ${host} type veth peer name eth0 netns ${name}`,
    ),
  ])
  await ipIn(host, [
    'link set lo up',
    'link set eth0 up',
    'link set c0 up',
    ...containers.map(({ site }) => `link set ${site} master c0 up`),
    `address add ${UPLINK[4]}/24 dev eth0`,
    ...addressLines(ADDRESSES.host, 'eth0'),
    ...addressLines(BRIDGE, 'c0'),
    'route add 192.0.2.0/24 via 10.98.0.2',
    'route add 2001:db8::/32 via fd98::2',
  ])
  for (const { site, name } of containers) {
    await ipIn(name, [
      'link set lo up',
      'link set eth0 up',
      ...addressLines(ADDRESSES[site], 'eth0'),
      `route add default via ${BRIDGE[4]}`,
      `route add default via ${BRIDGE[6]}`,
    ])
  }
  await ipIn(remote, [
    'link set lo up',
    'link set eth0 up',
    ...addressLines(ADDRESSES.remote, 'eth0'),
    `address add ${ELSEWHERE[4]}/32 dev lo`,
    `address add ${ELSEWHERE[6]}/128 dev lo`,
    `route add default via ${ADDRESSES.host[4]}`,
    `route add default via ${ADDRESSES.host[6]}`,
  ])
}

async function setBridge(host: string, seesBridged: boolean): Promise<void> {
  const turn = seesBridged ? 'on' : 'off'
  const ports = ['c1', 'c2', 'c3'].map(
    (port) => `link set ${port} type bridge_slave hairpin ${turn}`,
  )
  await ipIn(host, ports)
  const files = 'bridge-nf-call-iptables bridge-nf-call-ip6tables'
  // Where the kernel has modules, the files come with this one.
  const script = `modprobe -q br_netfilter; cd /proc/sys/net/bridge && for file in ${files}; do echo ${Number(seesBridged)} > $file; done`
  await run('nsenter', [`--net=/run/netns/${host}`, 'sh', '-c', script])
}

function addressLines(addresses: Readonly<Record<4 | 6, string>>, link: string): string[] {
  return [
    `address add ${addresses[4]}/24 dev ${link}`,
    `address add ${addresses[6]}/64 dev ${link} nodad`,
  ]
}

async function ipIn(namespace: string, lines: readonly string[]): Promise<void> {
  const isIpv6 = (line: string) => line.startsWith('route') && line.includes('via fd')
  const input = (chosen: readonly string[]) => `${chosen.join('\n')}\n`
  await run('ip', ['-n', namespace, '-batch', '-'], input(lines.filter((line) => !isIpv6(line))))
  await run('ip', ['-6', '-n', namespace, '-batch', '-'], input(lines.filter(isIpv6)))
}

/**
 * Forwarding on; no waiting for address detection, no router advertisements; ICMP errors as often
 * as there is cause, not the kernel's one a second to each client.
 */
async function quiet(namespace: string): Promise<void> {
  const settings = [
    'echo 1 > ipv4/ip_forward',
    'echo 1 > ipv6/conf/all/forwarding',
    'echo 0 > ipv6/conf/default/accept_dad',
    'echo 0 > ipv6/conf/default/accept_ra',
    'echo 0 > ipv4/icmp_ratelimit',
    'echo 0 > ipv6/icmp/ratelimit',
  ]
  const script = ['cd /proc/sys/net', ...settings].join(' && ')
  await run('nsenter', [`--net=/run/netns/${namespace}`, 'sh', '-c', script])
}

/** Waits until the cgroup is empty, at most two seconds. */
async function endProcesses(cgroup: string): Promise<void> {
  await writeFile(join(cgroup, 'cgroup.kill'), '1').catch(() => undefined) // no such cgroup
  const deadline = performance.now() + 2_000
  while (performance.now() < deadline) {
    const events = await readFile(join(cgroup, 'cgroup.events'), 'utf8').catch(() => '')
    if (!events.includes('populated 1')) return
  }
}

function list(path: string): Promise<string[]> {
  return readdir(path).catch(() => [])
}
