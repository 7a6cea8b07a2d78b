/** Every option of the daemon; each names the slice of configuration that it fills. */
import { LOG_LEVELS, type LogLevel } from '../base/log.ts'
import { DNS_DEFAULTS } from '../dns/config.ts'
import { DEFAULT_RANGES, L4LB_DEFAULTS } from '../l4lb/config.ts'
import { type Cidr, parseCidr } from '../model/cidr.ts'
import { type Endpoint, parseEndpoint } from '../model/endpoint.ts'
import { familyOf, type Ip, parseIp } from '../model/ip.ts'
import { GOSSIP_OPTIONS, type GossipOptionTable } from './gossip-options.ts'
import { MESOS_OPTIONS, type MesosOptionTable } from './mesos-options.ts'
import { fail, nonEmpty, type Option, oneOf, splitList } from './option.ts'

/** Where the API is served by default. **Source:** dcos-net `apps/dcos_rest` */
export const ADMIN_LISTEN = '127.0.0.1:62080'

/** The options by the name that the composition uses. */
export interface OptionTable extends MesosOptionTable, GossipOptionTable {
  readonly ip: Option<Ip>
  readonly plane: Option<'auto' | 'ebpf' | 'nftables'>
  readonly cgroup: Option<string>
  readonly pinDirectory: Option<string>
  readonly ranges: Option<readonly Cidr[]>
  readonly dnsListen: Option<readonly string[]>
  readonly dnsUpstreams: Option<readonly string[]>
  readonly adminListen: Option<string>
  readonly logLevel: Option<LogLevel>
}

/** Every option. */
export const OPTIONS: OptionTable = {
  ...MESOS_OPTIONS,
  ip: {
    name: 'ip',
    placeholder: 'ADDRESS',
    help: 'This node’s address; without it the Mesos agent is asked',
    parse: (text) => parseIp(text) ?? fail('expected an IP address'),
  },
  plane: {
    name: 'plane',
    placeholder: 'auto|ebpf|nftables',
    help: 'The data plane; auto takes the first that works on this kernel',
    defaultText: L4LB_DEFAULTS.plane,
    parse: oneOf(['auto', 'ebpf', 'nftables'] as const),
  },
  cgroup: {
    name: 'cgroup',
    placeholder: 'DIRECTORY',
    help: 'The cgroup2 directory whose processes the ebpf plane serves; default: all',
    parse: nonEmpty,
  },
  pinDirectory: {
    name: 'pin-directory',
    placeholder: 'DIRECTORY',
    help: 'Where the ebpf plane pins its maps and links, in a BPF file system',
    defaultText: L4LB_DEFAULTS.pinDirectory,
    parse: nonEmpty,
  },
  ranges: {
    name: 'vip-range',
    placeholder: 'CIDR,…',
    help: 'Blocks for the addresses of named VIPs, at most one per family',
    defaultText: DEFAULT_RANGES.join(','),
    parse: parseRanges,
  },
  dnsListen: {
    name: 'dns-listen',
    placeholder: 'ADDRESS:PORT,…|none',
    help: 'Where DNS is answered, UDP and TCP',
    defaultText: DNS_DEFAULTS.listen.join(','),
    parse: parseEndpoints,
  },
  dnsUpstreams: {
    name: 'dns-upstream',
    placeholder: 'ADDRESS[:PORT],…',
    help: 'Resolvers for all other names; default: those of /etc/resolv.conf',
    parse: parseEndpoints,
  },
  adminListen: {
    name: 'admin-listen',
    placeholder: 'ADDRESS:PORT',
    help: 'Where metrics and the API are served',
    defaultText: ADMIN_LISTEN,
    parse: (text) => (parseEndpoint(text) ? text : fail('expected ADDRESS:PORT')),
  },
  ...GOSSIP_OPTIONS,
  logLevel: {
    name: 'log-level',
    placeholder: LOG_LEVELS.join('|'),
    help: 'How much is logged to standard error',
    defaultText: 'info',
    parse: oneOf(LOG_LEVELS),
  },
}

function parseRanges(text: string): readonly Cidr[] {
  const ranges = splitList(text).map(
    (part) => parseCidr(part) ?? fail(`'${part}' is no CIDR block`),
  )
  const families = new Set(ranges.map(({ base }) => familyOf(base)))
  return families.size === ranges.length ? ranges : fail('expected at most one block per family')
}

function parseEndpoints(text: string): readonly string[] {
  const parts = splitList(text)
  const isEndpoint = (part: string): boolean => parseEndpoint(part, DEFAULT_DNS_PORT) !== undefined
  const wrong = parts.find((part) => !isEndpoint(part))
  return wrong === undefined ? parts : fail(`'${wrong}' is no ADDRESS:PORT`)
}

const DEFAULT_DNS_PORT: Endpoint['port'] = 53 as Endpoint['port']
