/** Every option of the daemon; each names the slice of configuration that it fills. */
import { LOG_LEVELS, type LogLevel } from '../base/log.ts'
import { DNS_DEFAULTS } from '../dns/config.ts'
import { type Endpoint, parseEndpoint } from '../model/endpoint.ts'
import { type Ip, parseIp } from '../model/ip.ts'
import { GOSSIP_OPTIONS, type GossipOptionTable } from './gossip-options.ts'
import { L4LB_OPTIONS, type L4lbOptionTable } from './l4lb-options.ts'
import { MESOS_OPTIONS, type MesosOptionTable } from './mesos-options.ts'
import { fail, type Option, oneOf, splitList } from './option.ts'

/** Where the API is served by default. **Source:** dcos-net `apps/dcos_rest` */
export const ADMIN_LISTEN = '127.0.0.1:62080'

/** The options by the name that the composition uses. */
export interface OptionTable extends MesosOptionTable, L4lbOptionTable, GossipOptionTable {
  readonly ip: Option<Ip>
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
  ...L4LB_OPTIONS,
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

function parseEndpoints(text: string): readonly string[] {
  const parts = splitList(text)
  const isEndpoint = (part: string): boolean => parseEndpoint(part, DEFAULT_DNS_PORT) !== undefined
  const wrong = parts.find((part) => !isEndpoint(part))
  return wrong === undefined ? parts : fail(`'${wrong}' is no ADDRESS:PORT`)
}

const DEFAULT_DNS_PORT: Endpoint['port'] = 53 as Endpoint['port']
