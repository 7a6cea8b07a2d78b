import { IPv4, IPv6 } from 'ip-num'
import type { Brand } from './brand.ts'

/** An IPv4 address in dotted-quad form, e.g. `11.0.0.37`. */
export type Ipv4 = Brand<string, 'Ipv4'>

/** An IPv6 address in the canonical text of RFC 5952, e.g. `fd01:c::5`; never v4-mapped. */
export type Ipv6 = Brand<string, 'Ipv6'>

/** An address of either family. Equal addresses are equal strings. */
export type Ip = Ipv4 | Ipv6

/** The version number of an address family. */
export type Family = 4 | 6

const MAPPED_PREFIX = 0xffffn << 32n

/**
 * Parses a strict IP literal: no zone, no brackets, no leading zeros in octets.
 * A v4-mapped IPv6 literal (`::ffff:1.2.3.4`) is the IPv4 address it carries.
 *
 * @returns the canonical address, or undefined when the text is no IP literal
 */
export function parseIp(text: string): Ip | undefined {
  const isIpv6 = text.includes(':')
  if (text.length > 45 || text.includes('%')) return undefined
  try {
    const value = isIpv6
      ? IPv6.fromString(text.toLowerCase()).getValue()
      : IPv4.fromString(text).getValue()
    if (!isIpv6) return ipFromBigint(value, 4)
    return value >> 32n === 0xffffn
      ? ipFromBigint(value - MAPPED_PREFIX, 4)
      : ipFromBigint(value, 6)
  } catch {
    return undefined
  }
}

/** Whether the address is IPv4. */
export function isIpv4(ip: Ip): ip is Ipv4 {
  return !ip.includes(':')
}

/** The address family: 4 or 6. */
export function familyOf(ip: Ip): Family {
  return isIpv4(ip) ? 4 : 6
}

/** The address as a number, e.g. `11.0.0.1` → 184549377n. */
export function ipToBigint(ip: Ip): bigint {
  return isIpv4(ip) ? IPv4.fromString(ip).getValue() : IPv6.fromString(ip).getValue()
}

/**
 * The address with this number.
 *
 * @param value 0 to 2^32 − 1 for family 4, 0 to 2^128 − 1 for family 6
 */
export function ipFromBigint(value: bigint, family: Family): Ip {
  if (family === 4) {
    const number = Number(value)
    return `${number >>> 24}.${(number >>> 16) & 255}.${(number >>> 8) & 255}.${number & 255}` as Ipv4
  }
  const groups = value.toString(16).padStart(32, '0').match(/.{4}/g) ?? []
  return compress(groups.map((group) => Number.parseInt(group, 16).toString(16))) as Ipv6
}

/** Replaces the longest run of two or more zero groups by `::` (RFC 5952 §4.2). */
function compress(groups: readonly string[]): string {
  let best = { start: 0, length: 1 }
  let run = { start: 0, length: 0 }
  groups.forEach((group, index) => {
    run =
      group === '0'
        ? { start: run.length > 0 ? run.start : index, length: run.length + 1 }
        : { start: 0, length: 0 }
    if (run.length > best.length) best = { ...run }
  })
  if (best.length < 2) return groups.join(':')
  const head = groups.slice(0, best.start).join(':')
  return `${head}::${groups.slice(best.start + best.length).join(':')}`
}
