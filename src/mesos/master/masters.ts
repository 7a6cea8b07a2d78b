/** What an operator may say about where masters are. */
import type { Port } from '../../model/port.ts'
import { type HostPort, MASTER_PORT, type MasterAddress, parseHostPort } from './master-address.ts'

/** Where the leading master is learned from. */
export type Masters =
  | {
      readonly kind: 'zookeeper'
      readonly servers: readonly HostPort[]
      /** Where masters announce themselves, e.g. `/mesos`. */
      readonly path: string
      /** `user:password`, if ZooKeeper asks for it. */
      readonly digest?: string
    }
  | {
      readonly kind: 'exhibitor'
      /** Where Exhibitor lists the ensemble, e.g. `http://h:8181/exhibitor/v1/cluster/list`. */
      readonly url: string
      readonly path: string
    }
  | { readonly kind: 'addresses'; readonly masters: readonly MasterAddress[] }
  | {
      readonly kind: 'file'
      /** A JSON array of addresses, such as DC/OS' `/opt/mesosphere/etc/master_list`. */
      readonly path: string
    }

/** What {@link parseMasters} found: masters, or what is wrong, free of passwords. */
export type ParsedMasters =
  | { readonly kind: 'masters'; readonly masters: Masters }
  | { readonly kind: 'problem'; readonly problem: string }

/** The port of ZooKeeper. */
export const ZOOKEEPER_PORT: Port = 2181 as Port

const EXPECTED =
  'expected zk://HOST:2181,…/mesos, http://HOST:5050,…, an Exhibitor URL or the path of a master_list'

/**
 * Parses `--masters`:
 * - `zk://[user:password@]a:2181,b:2181/mesos`
 * - `http://a:5050,http://b:5050`, also https
 * - `http://a:8181/exhibitor/v1/cluster/list`; with `#/path` where it is not `/mesos`
 * - `/opt/mesosphere/etc/master_list` or `file:///…`
 *
 * **Source:** Apache Mesos `src/zookeeper/url.hpp` (the password may contain `@`; no escapes)
 */
export function parseMasters(text: string): ParsedMasters {
  const trimmed = text.trim()
  if (trimmed.startsWith('zk://')) return parseZooKeeper(trimmed.slice('zk://'.length))
  if (/^https?:\/\//.test(trimmed)) return parseUrls(trimmed)
  if (trimmed.startsWith('file:///')) return fileAt(trimmed.slice('file://'.length))
  if (trimmed.startsWith('/')) return fileAt(trimmed)
  return problemOf(EXPECTED)
}

function parseZooKeeper(rest: string): ParsedMasters {
  const credentialsEnd = rest.lastIndexOf('@')
  const digest = credentialsEnd < 0 ? undefined : rest.slice(0, credentialsEnd)
  const place = rest.slice(credentialsEnd + 1)
  const slash = place.indexOf('/')
  const path = slash < 0 ? '' : place.slice(slash).replace(/\/$/, '')
  if (path === '') return problemOf('expected a path after the servers, e.g. /mesos')
  if (!isNodePath(path)) return problemOf(`'${path}' is no path of ZooKeeper`)
  if (digest !== undefined && digest.indexOf(':') < 1)
    return problemOf('expected user:password before the @')
  const servers: HostPort[] = []
  for (const [index, part] of place.slice(0, slash).split(',').entries()) {
    const server = parseHostPort(part.trim(), ZOOKEEPER_PORT)
    // Its text is not shown: it may be a misplaced password.
    if (server === undefined) return problemOf(`server ${index + 1} of ZooKeeper is no HOST:PORT`)
    servers.push(server)
  }
  const masters = { kind: 'zookeeper', servers, path } as const
  return mastersOf(digest === undefined ? masters : { ...masters, digest })
}

/** **Source:** Apache ZooKeeper `PathUtils.validatePath` */
function isNodePath(path: string): boolean {
  return /^(\/[^/\p{Cc}]+)+$/u.test(path) && !/\/\.{1,2}(\/|$)/.test(path)
}

function parseUrls(text: string): ParsedMasters {
  const exhibitor = URL.canParse(text) ? new URL(text) : undefined
  if (exhibitor?.pathname.includes('/exhibitor/') === true) return exhibitorAt(exhibitor)
  const masters: MasterAddress[] = []
  for (const [index, part] of text.split(',').entries()) {
    const match = /^(https?):\/\/([^/?#]+)\/?$/.exec(part.trim())
    const place = parseHostPort(match?.[2] ?? '', MASTER_PORT)
    if (place === undefined) return problemOf(`master ${index + 1} is no http://HOST:PORT`)
    masters.push({ address: place.host, port: place.port, isTls: match?.[1] === 'https' })
  }
  return mastersOf({ kind: 'addresses', masters })
}

function exhibitorAt(url: URL): ParsedMasters {
  const path = url.hash === '' ? '/mesos' : url.hash.slice(1)
  if (!isNodePath(path)) return problemOf(`'${path}' is no path of ZooKeeper`)
  if (url.username !== '' || url.password !== '')
    return problemOf('expected no credentials in the URL of Exhibitor')
  url.hash = ''
  return mastersOf({ kind: 'exhibitor', url: url.href, path })
}

function fileAt(path: string): ParsedMasters {
  return path.endsWith('/') ? problemOf(EXPECTED) : mastersOf({ kind: 'file', path })
}

function mastersOf(masters: Masters): ParsedMasters {
  return { kind: 'masters', masters }
}

function problemOf(problem: string): ParsedMasters {
  return { kind: 'problem', problem }
}

/** What masters are followed through, for people: `zk://a:2181,b:2181/mesos`; no password. */
export function describeMasters(masters: Masters): string {
  switch (masters.kind) {
    case 'zookeeper': {
      const servers = masters.servers.map(describeHostPort).join(',')
      return `zk://${servers}${masters.path}`
    }
    case 'exhibitor':
      return `${masters.url}#${masters.path}`
    case 'addresses':
      return masters.masters.map(describeMaster).join(',')
    case 'file':
      return masters.path
  }
}

/** `10.0.0.1:2181`, `[fd01::1]:2181`. */
export function describeHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function describeMaster({ address, port, isTls }: MasterAddress): string {
  return `${isTls ? 'https' : 'http'}://${describeHostPort({ host: address, port })}`
}
