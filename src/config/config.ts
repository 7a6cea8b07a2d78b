/** The daemon's configuration: file < environment < flag, all problems at once, frozen. */
import { NavstarError } from '../base/error.ts'
import type { LogLevel } from '../base/log.ts'
import { DNS_DEFAULTS, type DnsOptions } from '../dns/config.ts'
import type { GossipOptions } from '../gossip/config.ts'
import type { L4lbOptions } from '../l4lb/config.ts'
import type { MesosOptions } from '../mesos/config.ts'
import type { Ip } from '../model/ip.ts'
import { composeGossip } from './gossip-options.ts'
import { composeL4lb } from './l4lb-options.ts'
import { composeMesos } from './mesos-options.ts'
import { environmentName, type GivenValues, type Option } from './option.ts'
import { ADMIN_LISTEN, OPTIONS } from './options.ts'

/** Everything that the daemon is told. */
export interface DaemonConfig {
  readonly logLevel: LogLevel
  readonly nodeIp?: Ip
  readonly mesos: MesosOptions
  readonly l4lb: L4lbOptions
  readonly dns: DnsOptions
  readonly gossip: GossipOptions
  readonly admin: { readonly listen: string }
}

/** The texts that the operator gave, per source. */
export interface ConfigSources {
  /** The parsed JSON of the configuration file. */
  readonly file?: unknown
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly flags: Readonly<Record<string, string | undefined>>
}

/**
 * Composes the configuration.
 *
 * @throws NavstarError `CONFIG_INVALID` that lists every problem
 */
export function composeConfig(sources: ConfigSources): DaemonConfig {
  const problems: string[] = []
  const given = collect(sources, problems)
  const read = <T>(option: Option<T>): T | undefined => parse(option, given, problems)
  const ip = read(OPTIONS.ip)
  const config: DaemonConfig = {
    logLevel: read(OPTIONS.logLevel) ?? 'info',
    ...(ip && { nodeIp: ip }),
    mesos: composeMesos(read, ip),
    l4lb: composeL4lb(read),
    dns: {
      ...DNS_DEFAULTS,
      listen: read(OPTIONS.dnsListen) ?? DNS_DEFAULTS.listen,
      upstreams: read(OPTIONS.dnsUpstreams) ?? DNS_DEFAULTS.upstreams,
    },
    gossip: composeGossip(read, problems),
    admin: { listen: read(OPTIONS.adminListen) ?? ADMIN_LISTEN },
  }
  if (isWithoutAddress(config)) problems.push(NEEDS_ADDRESS)
  if (problems.length > 0) {
    const cause = problems.join('; ')
    throw new NavstarError('CONFIG_INVALID', { attempt: 'read the configuration', cause })
  }
  return freeze(config)
}

const NEEDS_ADDRESS =
  'mesos none needs ip or gossip-listen with an address: without an agent nobody says this node’s'

/** Whether nobody will ever say where other nodes of the cluster reach this one. */
function isWithoutAddress({ mesos, nodeIp, gossip }: DaemonConfig): boolean {
  const { clusterId, listen } = gossip
  const isClustered = clusterId !== undefined && mesos.agentUrl === undefined
  return isClustered && nodeIp === undefined && listen.address === undefined
}

function collect(sources: ConfigSources, problems: string[]): GivenValues {
  const given = new Map<string, { text: string; source: 'file' | 'environment' | 'flag' }>()
  const names = Object.values(OPTIONS).map(({ name }) => name)
  for (const [name, value] of fileEntries(sources.file, problems)) {
    const text = fileText(value)
    if (!names.includes(name)) problems.push(`file: unknown key '${name}'`)
    else if (text !== undefined) given.set(name, { text, source: 'file' })
    else problems.push(`file: ${name}: expected text, a number or a list of them`)
  }
  for (const name of names) {
    const text = sources.environment[environmentName(name)]
    if (text !== undefined) given.set(name, { text, source: 'environment' })
    const flag = sources.flags[name]
    if (flag !== undefined) given.set(name, { text: flag, source: 'flag' })
  }
  const known = new Set(names.map(environmentName))
  for (const name of Object.keys(sources.environment)) {
    if (name.startsWith('NAVSTAR_') && !known.has(name))
      problems.push(`environment: unknown ${name}`)
  }
  return given
}

function fileEntries(file: unknown, problems: string[]): [string, unknown][] {
  if (file === undefined) return []
  if (typeof file === 'object' && file !== null && !Array.isArray(file)) return Object.entries(file)
  problems.push('file: expected a JSON object')
  return []
}

/** Lists may be written as JSON arrays. @returns undefined for what is no text, number or list */
function fileText(value: unknown): string | undefined {
  const parts: readonly unknown[] = Array.isArray(value) ? value : [value]
  const isPlain = parts.every((part) => typeof part === 'string' || typeof part === 'number')
  return isPlain ? parts.join(',') : undefined
}

function parse<T>(option: Option<T>, given: GivenValues, problems: string[]): T | undefined {
  const value = given.get(option.name)
  if (value === undefined) return undefined
  try {
    return option.parse(value.text)
  } catch (error) {
    const expected = error instanceof Error ? error.message : String(error)
    const shown = option.isSecret ? '' : ` '${value.text}'`
    problems.push(`${value.source}: ${option.name}${shown}: ${expected}`)
    return undefined
  }
}

/** Goes into what is frozen already too: defaults may be so only at the top. */
function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const field of Object.values(value)) freeze(field)
  return Object.freeze(value)
}
