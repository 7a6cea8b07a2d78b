/**
 * The bytes of the maps' elements. Each field of a key is padded to four bytes; addresses and
 * ports are in network order; slots and numbers of slots are in the machine's order, because
 * `numgen` and map values are compared as the kernel holds them.
 */
import { type Family, familyOf } from '../../../model/ip.ts'
import { readIp, writeIp } from '../../../model/ip-bytes.ts'
import { type Port, protocolFromNumber, protocolNumber } from '../../../model/port.ts'
import type { Backend, ServiceAddress } from '../../../model/vip.ts'
import type { Drain } from '../../../model/vip-options.ts'
import { readWord, words, writeWord } from '../words.ts'
import { FAMILIES } from './rules.ts'
import { LENGTHS } from './ruleset.ts'

/** An address and port, as a value of `slots4` or `slots6`. */
export type SlotEndpoint = Pick<Backend, 'address' | 'port'>

/** Key of `vips…`: address . protocol . port. */
export function encodeVipKey(service: ServiceAddress): Uint8Array {
  const family = familyOf(service.address)
  const bytes = new Uint8Array(LENGTHS[family].vipKey)
  writeVip(service, bytes)
  return bytes
}

/** Key of `slots…`: address . protocol . port . slot. */
export function encodeSlotKey(service: ServiceAddress, slot: number): Uint8Array {
  const family = familyOf(service.address)
  const bytes = new Uint8Array(LENGTHS[family].slotKey)
  writeVip(service, bytes)
  writeWord(slot, bytes, LENGTHS[family].vipKey)
  return bytes
}

/** The VIP of a key of `vips…` or `slots…`; undefined for a foreign protocol. */
export function decodeVip(
  bytes: Uint8Array,
  offset: number,
  family: Family,
): ServiceAddress | undefined {
  const { addressBytes } = FAMILIES[family]
  const protocol = protocolFromNumber(bytes[offset + addressBytes] ?? 0)
  const port = readPort(bytes, offset + addressBytes + 4)
  return protocol && { address: readIp(bytes, offset, addressBytes), port, protocol }
}

/** A number of 32 bits in the machine's order: a slot, or a number of slots. */
export function encodeNumber(number: number): Uint8Array {
  return words([number])
}

/** A number as {@link encodeNumber} wrote it. */
export function decodeNumber(bytes: Uint8Array, offset: number): number {
  return readWord(bytes, offset)
}

/** Value of `slots…`: address . port. */
export function encodeEndpoint({ address, port }: SlotEndpoint): Uint8Array {
  const family = familyOf(address)
  const bytes = new Uint8Array(LENGTHS[family].endpoint)
  writeIp(address, bytes, 0)
  writePort(port, bytes, FAMILIES[family].addressBytes)
  return bytes
}

/** Value of `slots…`. */
export function decodeEndpoint(bytes: Uint8Array, offset: number, family: Family): SlotEndpoint {
  const { addressBytes } = FAMILIES[family]
  return {
    address: readIp(bytes, offset, addressBytes),
    port: readPort(bytes, offset + addressBytes),
  }
}

/** Key of `draining…` and `left…`: a VIP and a backend of it. */
export function encodeMemberKey(service: ServiceAddress, backend: SlotEndpoint): Uint8Array {
  const { memberKey, vipKey } = LENGTHS[familyOf(service.address)]
  const bytes = new Uint8Array(memberKey)
  writeVip(service, bytes)
  bytes.set(encodeEndpoint(backend), vipKey)
  return bytes
}

/** The backend of such a key. */
export function decodeMember(bytes: Uint8Array, offset: number, family: Family): SlotEndpoint {
  return decodeEndpoint(bytes, offset + LENGTHS[family].vipKey, family)
}

/** Value of `drains…`: seconds, or all ones for at once; undefined: connections go on. */
export function encodeDrain(drain: Drain): number | undefined {
  if (drain === 'graceful') return undefined
  return drain === 'reset' ? AT_ONCE : drain
}

/** A value as {@link encodeDrain} made it. */
export function decodeDrain(value: number | undefined): Drain {
  if (value === undefined) return 'graceful'
  return value === AT_ONCE ? 'reset' : value
}

const AT_ONCE = 0xffff_ffff

/** Key of `hairpin`: interface . interface, the same index twice. */
export function encodeHairpin(linkIndex: number): Uint8Array {
  return words([linkIndex, linkIndex])
}

/** Packs byte strings one after another. */
export function pack(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts)
}

function writeVip({ address, port, protocol }: ServiceAddress, bytes: Uint8Array): void {
  const { addressBytes } = FAMILIES[familyOf(address)]
  writeIp(address, bytes, 0)
  bytes[addressBytes] = protocolNumber(protocol)
  writePort(port, bytes, addressBytes + 4)
}

function writePort(port: number, bytes: Uint8Array, offset: number): void {
  bytes[offset] = port >>> 8
  bytes[offset + 1] = port & 255
}

function readPort(bytes: Uint8Array, offset: number): Port {
  return (((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0)) as Port
}
