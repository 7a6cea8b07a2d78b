/** The addresses of named VIPs of one family as numbers, so that placing a name costs no parsing. */
import { createHash } from 'node:crypto'
import { type Cidr, lastOf } from '../../model/cidr.ts'
import { type Family, familyOf, type Ip, ipFromBigint, ipToBigint } from '../../model/ip.ts'
import { phash2 } from './phash2.ts'

/** The addresses that named VIPs of one family come from, both ends included. */
export interface VipRange {
  readonly first: Ip
  readonly last: Ip
}

/** The range that a block makes. */
export function vipRangeOf(block: Cidr): VipRange {
  return { first: block.base, last: lastOf(block) }
}

/** A range as numbers; addresses are offsets in it. */
export interface AddressSpace {
  readonly family: Family
  readonly base: bigint
  readonly size: bigint
}

/** The space of a range. */
export function addressSpaceOf({ first, last }: VipRange): AddressSpace {
  const base = ipToBigint(first)
  return { family: familyOf(first), base, size: ipToBigint(last) - base + 1n }
}

/** The address at an offset. */
export function addressAt(offset: bigint, { base, family }: AddressSpace): Ip {
  return ipFromBigint(base + offset, family)
}

/** Where the address is; undefined outside of the space. */
export function offsetOf(address: Ip, { base, family, size }: AddressSpace): bigint | undefined {
  if (familyOf(address) !== family) return undefined
  const offset = ipToBigint(address) - base
  return offset >= 0n && offset < size ? offset : undefined
}

/**
 * The offset that a name would have alone. The modulus is last − first, as in DC/OS, so that the
 * last address is only reached by probing.
 *
 * **Source:** dcos-net `apps/dcos_l4lb/src/dcos_l4lb_lashup_vip_listener.erl`
 */
export function firstCandidate(name: string, { family, size }: AddressSpace): bigint {
  const modulus = size - 1n
  if (modulus === 0n) return 0n
  if (family === 4) return BigInt(phash2(Buffer.from(name), Number(modulus)))
  return BigInt(`0x${createHash('sha1').update(name).digest('hex')}`) % modulus
}
