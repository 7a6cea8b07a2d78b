/**
 * Connections through a VIP beside direct ones: on new connections, on open ones, and in bulk.
 *
 * Every path has a backend port of its own: over a shared one, connections that the backend still
 * remembers would stall those of another path. Clients of the `ebpf` plane share the namespace of
 * the direct ones and differ from them by cgroup.
 */
import type { HostPlaces } from '../src/demo/places/places.ts'
import type { Plane } from '../src/l4lb/plane.ts'
import { formatCidr } from '../src/model/cidr.ts'
import type { Port } from '../src/model/port.ts'
import type { Service } from '../src/model/vip.ts'
import { buildLoad, type Load, runLoad, serve, type Tally } from './load.ts'
import {
  addClient,
  addNamespace,
  inNamespace,
  linkAddresses,
  shortenConntrackMemory,
} from './network.ts'
import { ratiosOf, ratioText, spreadOf, spreadText } from './numbers.ts'
import type { Places } from './places.ts'
import { fill, openPlaneAt } from './planes.ts'
import type { Settings } from './settings.ts'
import { syntheticServices, VIP_RANGE, vipAddress } from './synthetic.ts'
import type { Row } from './table.ts'

const VIP_BLOCK = formatCidr(VIP_RANGE)
const OTHER_VIPS = 10_000
const BACKENDS = 10

/** A way from client to server. */
interface Path {
  readonly name: string
  readonly host: HostPlaces
  /** Number of the link of {@link addClient}. */
  readonly link: number
  readonly port: Port
  readonly plane?: 'ebpf' | 'nftables'
  /** Hand-written table of the client's namespace. */
  readonly table?: string
  /** Through the VIP; a direct path goes to the server's own address. */
  readonly isTranslated?: boolean
}

/** A load and its name in the table. */
interface Kind {
  readonly measure: string
  readonly load: Pick<Load, 'mode' | 'clients'>
  /** Targets by path name. */
  readonly targets: Readonly<Record<string, string>>
}

const CRR_TARGETS = { ebpf: '≥ 0.97', nftables: '≥ 0.85' }
const OPEN_TARGETS = { ebpf: '≥ 0.98', nftables: '≥ 0.92' }

const KINDS: readonly Kind[] = [
  {
    measure: 'connect-request-response, 1 client, per s',
    load: { mode: 'crr', clients: 1 },
    targets: CRR_TARGETS,
  },
  {
    measure: 'connect-request-response, 16 clients, per s',
    load: { mode: 'crr', clients: 16 },
    targets: CRR_TARGETS,
  },
  {
    measure: 'requests on an open connection, per s',
    load: { mode: 'rr', clients: 1 },
    targets: OPEN_TARGETS,
  },
  {
    measure: 'requests on 16 open connections, per s',
    load: { mode: 'rr', clients: 16 },
    targets: OPEN_TARGETS,
  },
  {
    measure: 'bulk, Gbit/s',
    load: { mode: 'bulk', clients: 1 },
    targets: OPEN_TARGETS,
  },
]

/** Measures connections. */
export async function measureConnect(places: Places, settings: Settings): Promise<Row[]> {
  await buildLoad()
  const server = places.host('server')
  const paths = pathsOf(places)
  await addNamespace(server)
  for (const { host, link, plane } of paths) {
    if (plane !== 'ebpf') await addClient(host, server, link)
  }
  await addNamespace(places.host('ebpf-cgroup'))
  await serve(
    server,
    paths.map(({ port }) => port),
  )
  const planes = await openPlanes(paths)
  await loadTables(paths)
  settings.say(`${OTHER_VIPS} other VIPs with ${BACKENDS} backends each are loaded`)
  try {
    const rows: Row[] = []
    for (const kind of KINDS) rows.push(...(await measureKind(kind, paths, settings)))
    return rows
  } finally {
    for (const plane of planes) await plane.close()
  }
}

function pathsOf(places: Places): Path[] {
  const direct = places.host('direct')
  const { cgroup, pinDirectory } = places.host('ebpf-cgroup')
  return [
    { name: 'direct', host: direct, link: 1, port: 9001 as Port },
    {
      name: 'direct, conntrack on',
      host: places.host('tracked'),
      link: 2,
      port: 9002 as Port,
      table: TRACKING_TABLE,
    },
    {
      name: 'one nft rule',
      host: places.host('rule'),
      link: 4,
      port: 9005 as Port,
      table: ruleTable(`${linkAddresses(4).server}:9005`),
      isTranslated: true,
    },
    {
      name: 'ebpf',
      host: { ...direct, cgroup, pinDirectory },
      link: 1,
      port: 9003 as Port,
      plane: 'ebpf',
      isTranslated: true,
    },
    {
      name: 'nftables',
      host: places.host('nft'),
      link: 3,
      port: 9004 as Port,
      plane: 'nftables',
      isTranslated: true,
    },
  ]
}

const MEASURED_VIP = vipAddress(OTHER_VIPS)

/** A rule that looks at the state of connections is what turns conntrack on. */
const TRACKING_TABLE =
  'table ip bench { chain output { type filter hook output priority 0; ct state invalid drop; }; }'

/** The least that NAT can be: one rule for one VIP. */
function ruleTable(target: string): string {
  const rule = `ip daddr ${MEASURED_VIP} tcp dport 80 dnat to ${target}`
  return `table ip bench { chain output { type nat hook output priority -100; ${rule}; }; }`
}

async function openPlanes(paths: readonly Path[]): Promise<Plane[]> {
  const planes: Plane[] = []
  for (const { host, link, port, plane: kind } of paths) {
    if (kind === undefined) continue
    const { client, server } = linkAddresses(link)
    const plane = await openPlaneAt(kind, host, client)
    const measured: Service = {
      address: MEASURED_VIP,
      port: 80 as Port,
      protocol: 'tcp',
      backends: [{ address: server, port, weight: 1 }],
    }
    await fill(plane, [...syntheticServices(OTHER_VIPS, BACKENDS), measured])
    planes.push(plane)
  }
  return planes
}

async function loadTables(paths: readonly Path[]): Promise<void> {
  for (const { host, link, table, plane } of paths) {
    if (table !== undefined) {
      await inNamespace(host, `echo '${table}' | nft -f -`)
      await inNamespace(host, `ip route add ${VIP_BLOCK} via ${linkAddresses(link).server}`)
    }
    if (table !== undefined || plane === 'nftables') await shortenConntrackMemory(host)
  }
}

async function measureKind(kind: Kind, paths: readonly Path[], settings: Settings): Promise<Row[]> {
  const results = new Map<string, number[]>(paths.map(({ name }) => [name, []]))
  for (let repeat = -1; repeat < settings.repeats; repeat++) {
    const seconds = repeat < 0 ? 0.5 : settings.seconds // the first one warms up
    for (const path of paths) {
      const tally = await runLoad(path.host, { ...kind.load, target: targetOf(path), seconds })
      if (tally.errors > 0) settings.say(`${path.name}: ${tally.errors} failed`)
      if (repeat >= 0) results.get(path.name)?.push(rateOf(tally, kind.load.mode))
    }
  }
  return paths.map(({ name }) => rowOf(kind, name, results))
}

function targetOf({ link, port, isTranslated }: Path): string {
  const { server } = linkAddresses(link)
  return isTranslated ? `${MEASURED_VIP}:80` : `${server}:${port}`
}

function rateOf({ count, bytes, seconds }: Tally, mode: Load['mode']): number {
  return mode === 'bulk' ? (bytes * 8) / seconds / 1e9 : count / seconds
}

function rowOf(kind: Kind, name: string, results: ReadonlyMap<string, readonly number[]>): Row {
  const { measure, targets } = kind
  const numbers = results.get(name) ?? []
  const direct = results.get('direct') ?? []
  const row = { measure, subject: name, value: spreadText(spreadOf(numbers)) }
  if (name === 'direct') return row
  const target = targets[name]
  const ratio = ratioText(ratiosOf(numbers, direct))
  return { ...row, baseline: 'direct', ratio, ...(target !== undefined && { target }) }
}
