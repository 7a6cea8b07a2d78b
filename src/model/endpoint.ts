import { type Ip, parseIp } from './ip.ts'
import { parsePort } from './port.ts'

/** Where a socket listens or connects. Port 0 asks the kernel for a free one. */
export interface Endpoint {
  readonly address: Ip
  readonly port: number
}

/**
 * Parses `10.0.0.1:53`, `[fd01:c::5]:53`, or without a port where there is a default.
 * IPv6 needs brackets when a port follows.
 *
 * @param defaultPort taken when the text has no port
 * @returns undefined when the text is no endpoint
 */
export function parseEndpoint(text: string, defaultPort?: number): Endpoint | undefined {
  const bare = parseIp(text)
  if (bare !== undefined) return endpointOf(bare, defaultPort)
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text)
  const address = parseIp(match?.[1] ?? match?.[2] ?? '')
  if (match === null || address === undefined) return undefined
  const port = match[3]
  if (port === undefined) return endpointOf(address, defaultPort)
  return endpointOf(address, Number(port) === 0 ? 0 : parsePort(port))
}

function endpointOf(address: Ip, port: number | undefined): Endpoint | undefined {
  return port === undefined ? undefined : { address, port }
}
