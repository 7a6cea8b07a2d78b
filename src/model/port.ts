import type { Brand } from './brand.ts'

/** A TCP or UDP port number, 1 to 65535. */
export type Port = Brand<number, 'Port'>

/** A transport protocol that VIPs can have. */
export type Protocol = 'tcp' | 'udp'

/** The port with this number, or undefined outside 1 to 65535. */
export function toPort(number: unknown): Port | undefined {
  const isPort = Number.isInteger(number) && (number as number) > 0 && (number as number) < 65536
  return isPort ? (number as Port) : undefined
}

/** Parses a decimal port, digits only, e.g. `8080`. */
export function parsePort(text: string): Port | undefined {
  return /^\d{1,5}$/.test(text) ? toPort(Number(text)) : undefined
}

/** Parses `tcp` or `udp` in any case, as Marathon and SDK services write both. */
export function parseProtocol(text: string): Protocol | undefined {
  const lower = text.toLowerCase()
  return lower === 'tcp' || lower === 'udp' ? lower : undefined
}

/** The IP protocol number: 6 or 17. **Source:** IANA protocol numbers */
export function protocolNumber(protocol: Protocol): 6 | 17 {
  return protocol === 'tcp' ? 6 : 17
}

/** The protocol with this IP protocol number, or undefined for others than 6 and 17. */
export function protocolFromNumber(number: number): Protocol | undefined {
  if (number === 6) return 'tcp'
  return number === 17 ? 'udp' : undefined
}
