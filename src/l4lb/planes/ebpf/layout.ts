/**
 * The bytes of the BPF maps' keys and values: `native/bpf/src/layout.h` says the same in C.
 * Addresses are 16 bytes, IPv4 as v4-mapped; ports are big-endian; other numbers are in the
 * machine's order (little-endian on all machines that navstar supports).
 */
import { bitsOf, type Cidr } from '../../../model/cidr.ts'
import { familyOf, type Ip } from '../../../model/ip.ts'
import { readIp16, writeIp16 } from '../../../model/ip-bytes.ts'
import { type Port, protocolFromNumber, protocolNumber } from '../../../model/port.ts'
import type { ServiceAddress } from '../../../model/vip.ts'
import type { Algorithm, Drain } from '../../../model/vip-options.ts'
import { readWord, words } from '../words.ts'

/** Sizes in bytes: struct vip_key, vip, slot_key, endpoint, member_key, member, range, measure. */
export const SIZES = {
  vipKey: 20,
  vipValue: 32,
  slotKey: 8,
  endpoint: 20,
  memberKey: 40,
  memberValue: 4,
  rangeKey: 4,
  rangeValue: 40,
  cursor: 8,
  measure: 304,
} as const

/** An address and port of a backend. */
export interface Endpoint {
  readonly address: Ip
  readonly port: Port
}

/** struct vip: which slots a VIP has, and how one of them is chosen. */
export interface VipValue {
  readonly set: number
  /** Slots to choose from, from 0. */
  readonly slots: number
  readonly algorithm: Algorithm
  /** From this slot on each backend once, {@link VipValue.heads} of them. */
  readonly firstHead: number
  readonly heads: number
  readonly affinitySeconds: number
  readonly connectionLimit: number
  readonly drain: Drain
}

/** enum algorithm. */
const ALGORITHM_NUMBERS: readonly Algorithm[] = ['random', 'rr', 'least-conn', 'p2c-ewma', 'maglev']

/** struct vip_key. */
export function encodeVipKey({ address, port, protocol }: ServiceAddress): Uint8Array {
  const bytes = new Uint8Array(SIZES.vipKey)
  writeIp16(address, bytes, 0)
  writePort(port, bytes, 16)
  bytes[18] = protocolNumber(protocol)
  return bytes
}

/** struct vip_key; undefined for a protocol that navstar never writes. */
export function decodeVipKey(bytes: Uint8Array, offset: number): ServiceAddress | undefined {
  const protocol = protocolFromNumber(bytes[offset + 18] ?? 0)
  return (
    protocol && { address: readIp16(bytes, offset), port: readPort(bytes, offset + 16), protocol }
  )
}

/** struct vip. */
export function encodeVipValue(value: VipValue): Uint8Array {
  const { set, slots, firstHead, heads, affinitySeconds, connectionLimit } = value
  const algorithm = ALGORITHM_NUMBERS.indexOf(value.algorithm)
  const drain = drainNumber(value.drain)
  return words([set, slots, algorithm, firstHead, heads, affinitySeconds, connectionLimit, drain])
}

/** struct vip; undefined when it holds what navstar never writes. */
export function decodeVipValue(bytes: Uint8Array, offset: number): VipValue | undefined {
  const algorithm = ALGORITHM_NUMBERS[readWord(bytes, offset + 8)]
  if (algorithm === undefined) return undefined
  return {
    set: readWord(bytes, offset),
    slots: readWord(bytes, offset + 4),
    algorithm,
    firstHead: readWord(bytes, offset + 12),
    heads: readWord(bytes, offset + 16),
    affinitySeconds: readWord(bytes, offset + 20),
    connectionLimit: readWord(bytes, offset + 24),
    drain: drainOf(readWord(bytes, offset + 28)),
  }
}

/** 0 for graceful, n for n - 1 seconds; the programs do not read it. */
function drainNumber(drain: Drain): number {
  if (drain === 'graceful') return 0
  return drain === 'reset' ? 1 : drain + 1
}

function drainOf(number: number): Drain {
  if (number === 0) return 'graceful'
  return number === 1 ? 'reset' : number - 1
}

/** The set that struct vip names, whatever else it holds. */
export function decodeSet(bytes: Uint8Array, offset: number): number {
  return readWord(bytes, offset)
}

/** struct slot_key. */
export function encodeSlotKey(set: number, slot: number): Uint8Array {
  return words([set, slot])
}

/** struct slot_key. */
export function decodeSlotKey(bytes: Uint8Array, offset: number): { set: number; slot: number } {
  return { set: readWord(bytes, offset), slot: readWord(bytes, offset + 4) }
}

/** struct endpoint. */
export function encodeEndpoint({ address, port }: Endpoint): Uint8Array {
  const bytes = new Uint8Array(SIZES.endpoint)
  writeIp16(address, bytes, 0)
  writePort(port, bytes, 16)
  return bytes
}

/** struct endpoint. */
export function decodeEndpoint(bytes: Uint8Array, offset: number): Endpoint {
  return { address: readIp16(bytes, offset), port: readPort(bytes, offset + 16) }
}

/** struct member_key: a VIP's key and the endpoint of one of its backends. */
export function encodeMemberKey(vipKey: Uint8Array, endpoint: Endpoint): Uint8Array {
  const bytes = new Uint8Array(SIZES.memberKey)
  bytes.set(vipKey, 0)
  bytes.set(encodeEndpoint(endpoint), SIZES.vipKey)
  return bytes
}

/** struct member. */
export function encodeWeight(weight: number): Uint8Array {
  return words([weight])
}

/** How many ranges the map `ranges` holds. */
export const RANGE_LIMIT = 8

/** struct range: base, mask, in use; an absent block is an unused range. */
export function encodeRange(cidr: Cidr | undefined): Uint8Array {
  const bytes = new Uint8Array(SIZES.rangeValue)
  if (cidr === undefined) return bytes
  writeIp16(cidr.base, bytes, 0)
  const maskBits = 128 - bitsOf(familyOf(cidr.base)) + cidr.prefixLength
  for (let bit = 0; bit < maskBits; bit++) {
    const at = 16 + (bit >> 3)
    bytes[at] = (bytes[at] ?? 0) | (0x80 >> (bit & 7))
  }
  bytes[32] = 1
  return bytes
}

/** Whether the map's values are these blocks in this order, and no others. */
export function isSameRange(values: Uint8Array, cidrs: readonly Cidr[]): boolean {
  const wanted = Array.from({ length: RANGE_LIMIT }, (_, index) => encodeRange(cidrs[index]))
  return Buffer.concat(wanted).equals(values)
}

function writePort(port: number, bytes: Uint8Array, offset: number): void {
  bytes[offset] = port >>> 8
  bytes[offset + 1] = port & 255
}

function readPort(bytes: Uint8Array, offset: number): Port {
  return (((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0)) as Port
}
