import { type Ip, ipFromBigint, ipToBigint, isIpv4 } from './ip.ts'

/**
 * Writes the address as 16 bytes in network order, IPv4 as v4-mapped IPv6 (`::ffff:a.b.c.d`).
 *
 * **Source:** RFC 4291 §2.5.5.2
 */
export function writeIp16(ip: Ip, target: Uint8Array, offset: number): void {
  if (!isIpv4(ip)) {
    writeNumber({ target, offset, sizeBytes: 16 }, ipToBigint(ip))
    return
  }
  target.fill(0, offset, offset + 10)
  target.fill(0xff, offset + 10, offset + 12)
  writeIpv4(ip, target, offset + 12)
}

/** Writes the address in its own size and network order: 4 bytes for IPv4, 16 for IPv6. */
export function writeIp(ip: Ip, target: Uint8Array, offset: number): void {
  if (isIpv4(ip)) writeIpv4(ip, target, offset)
  else writeNumber({ target, offset, sizeBytes: 16 }, ipToBigint(ip))
}

/** Reads 16 bytes as {@link writeIp16} wrote them. */
export function readIp16(source: Uint8Array, offset: number): Ip {
  return isMapped(source, offset) ? readIp(source, offset + 12, 4) : readIp(source, offset, 16)
}

/** Reads an address of 4 or 16 bytes in network order. */
export function readIp(source: Uint8Array, offset: number, sizeBytes: 4 | 16): Ip {
  if (sizeBytes === 4) {
    const at = offset
    return `${source[at]}.${source[at + 1]}.${source[at + 2]}.${source[at + 3]}` as Ip
  }
  let value = 0n
  for (const byte of source.subarray(offset, offset + sizeBytes))
    value = (value << 8n) | BigInt(byte)
  return ipFromBigint(value, 6)
}

function isMapped(source: Uint8Array, offset: number): boolean {
  for (let index = 0; index < 10; index++) if (source[offset + index] !== 0) return false
  return source[offset + 10] === 0xff && source[offset + 11] === 0xff
}

function writeIpv4(ip: string, target: Uint8Array, offset: number): void {
  let octet = 0
  let at = offset
  for (let index = 0; index < ip.length; index++) {
    const code = ip.charCodeAt(index)
    if (code === 46) {
      target[at++] = octet
      octet = 0
    } else octet = octet * 10 + code - 48
  }
  target[at] = octet
}

interface Field {
  readonly target: Uint8Array
  readonly offset: number
  readonly sizeBytes: number
}

function writeNumber({ target, offset, sizeBytes }: Field, value: bigint): void {
  let rest = value
  for (let index = offset + sizeBytes - 1; index >= offset; index--) {
    target[index] = Number(rest & 255n)
    rest >>= 8n
  }
}
