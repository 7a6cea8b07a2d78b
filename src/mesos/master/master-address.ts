import { parseIp } from '../../model/ip.ts'
import { type Port, parsePort, toPort } from '../../model/port.ts'

/** Where a master serves its API. */
export interface MasterAddress {
  /** An IP literal without brackets, or a host name. */
  readonly address: string
  readonly port: Port
  readonly isTls: boolean
}

/** The port of a master that names none. **Source:** Apache Mesos `MasterInfo.port` */
export const MASTER_PORT: Port = 5050 as Port

/** A host with its port, as written in lists: `10.0.0.1:5050`, `[fd01::1]:5050`, `master-1`. */
export interface HostPort {
  readonly host: string
  readonly port: Port
}

/**
 * Parses a host and its port. IPv6 needs brackets when a port follows; a literal comes back in
 * its canonical form.
 *
 * @param defaultPort taken when the text has no port
 * @returns undefined when the text is no host
 */
export function parseHostPort(text: string, defaultPort: Port): HostPort | undefined {
  const bare = parseIp(text)
  if (bare !== undefined) return { host: bare, port: defaultPort }
  const match = /^(?:\[([^\]]+)\]|([^:[\]/@\s]+))(?::(\d{1,5}))?$/.exec(text)
  if (match === null) return undefined
  const literal = parseIp(match[1] ?? match[2] ?? '')
  const host = literal ?? parseHostName(match[2] ?? '')
  const port = match[3] === undefined ? defaultPort : parsePort(match[3])
  return host === undefined || port === undefined ? undefined : { host, port }
}

/** A host name, but nothing that looks like an address and is none (`10.0.0.256`). */
export function parseHostName(text: string): string | undefined {
  const isName = /^[\w-]+(\.[\w-]+)*\.?$/.test(text) && text.length <= 253
  return isName && !/^[\d.]+$/.test(text) ? text : undefined
}

/** The URL of a path at a master: `http://10.0.0.1:5050/api/v1`. */
export function masterUrl({ address, port, isTls }: MasterAddress, path: string): URL {
  const host = address.includes(':') ? `[${address}]` : address
  return new URL(path, `${isTls ? 'https' : 'http'}://${host}:${port}`)
}

/** The master that a URL leads to; undefined when its host or port is of no use. */
export function masterOfUrl(url: URL): MasterAddress | undefined {
  const isTls = url.protocol === 'https:'
  const isBracketed = url.hostname.startsWith('[')
  const host = isBracketed ? parseIp(url.hostname.slice(1, -1)) : url.hostname
  // The URL parser leaves out the port that is the scheme's own.
  const port = url.port === '' ? toPort(isTls ? 443 : 80) : parsePort(url.port)
  if (host === undefined || host === '' || port === undefined) return undefined
  return { address: host, port, isTls }
}

/** Whether both are the same place. */
export function isSameMaster(
  left: MasterAddress | undefined,
  right: MasterAddress | undefined,
): boolean {
  if (left === undefined || right === undefined) return left === right
  return left.address === right.address && left.port === right.port && left.isTls === right.isTls
}
