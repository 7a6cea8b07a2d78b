import { type Family, familyOf, type Ip, ipFromBigint, ipToBigint, parseIp } from './ip.ts'

/** A block of addresses, e.g. `11.0.0.0/8`. */
export interface Cidr {
  /** The first address: all host bits are zero. */
  readonly base: Ip
  /** 0 to 32 or 128. */
  readonly prefixLength: number
}

/**
 * Parses `address/length`. Host bits in the address are cleared.
 *
 * @returns undefined when the text is no CIDR block
 */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/')
  const ip = parseIp(text.slice(0, slash))
  if (slash < 0 || ip === undefined || !/^\d{1,3}$/.test(text.slice(slash + 1))) return undefined
  const prefixLength = Number(text.slice(slash + 1))
  const bits = bitsOf(familyOf(ip))
  if (prefixLength > bits) return undefined
  const hostBits = BigInt(bits - prefixLength)
  const base = ipFromBigint((ipToBigint(ip) >> hostBits) << hostBits, familyOf(ip))
  return { base, prefixLength }
}

/** The block as text, e.g. `11.0.0.0/8`. */
export function formatCidr(cidr: Cidr): string {
  return `${cidr.base}/${cidr.prefixLength}`
}

/** The last address of the block. */
export function lastOf(cidr: Cidr): Ip {
  const hostBits = BigInt(bitsOf(familyOf(cidr.base)) - cidr.prefixLength)
  return ipFromBigint(ipToBigint(cidr.base) + (1n << hostBits) - 1n, familyOf(cidr.base))
}

/** Whether the address lies in the block; false across families. */
export function contains(cidr: Cidr, ip: Ip): boolean {
  if (familyOf(cidr.base) !== familyOf(ip)) return false
  const hostBits = BigInt(bitsOf(familyOf(ip)) - cidr.prefixLength)
  return ipToBigint(ip) >> hostBits === ipToBigint(cidr.base) >> hostBits
}

/** The width of an address of this family: 32 or 128. */
export function bitsOf(family: Family): 32 | 128 {
  return family === 4 ? 32 : 128
}
