/**
 * Which address a named VIP has. The first candidate is DC/OS' own (phash2 for IPv4, SHA-1 for
 * IPv6); a taken candidate gives way to the next address, wrapping at the end of the range.
 *
 * DC/OS let the order of arrival decide who keeps a contested address, so nodes disagreed. Here
 * names are placed in the order of their text: the plan is a function of the set of names alone.
 *
 * **Source:** dcos-net `apps/dcos_l4lb/src/dcos_l4lb_lashup_vip_listener.erl`
 */
import { createHash } from 'node:crypto'
import { type Cidr, lastOf } from '../model/cidr.ts'
import { type Family, familyOf, type Ip, ipFromBigint, ipToBigint } from '../model/ip.ts'
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

/** A range as numbers, so that placing a name costs no parsing. */
interface Space {
  readonly family: Family
  readonly base: bigint
  readonly size: bigint
}

/** A plan: names with their addresses, and those for which the range had none. */
export interface AddressPlan {
  readonly addresses: ReadonlyMap<string, Ip>
  readonly unplaced: readonly string[]
}

/**
 * Gives each name an address of the range. The same set of names gives the same plan.
 *
 * @param names mangled names, e.g. `web.marathon`; duplicates count once
 */
export function planAddresses(names: Iterable<string>, range: VipRange): AddressPlan {
  const planner = new AddressPlanner(range)
  for (const name of [...new Set(names)].sort()) planner.add(name)
  return { addresses: planner.addresses, unplaced: planner.unplaced }
}

/**
 * Keeps the plan of a changing set of names. At every moment it equals what
 * {@link planAddresses} gives for the same set; a change costs O(1) unless names contend.
 */
export class AddressPlanner {
  readonly #space: Space
  readonly #candidates = new Map<string, bigint>()
  #taken = new Set<bigint>()
  #addresses = new Map<string, Ip>()
  #unplaced: string[] = []
  #displacedCount = 0

  constructor(range: VipRange) {
    const base = ipToBigint(range.first)
    this.#space = { family: familyOf(range.first), base, size: ipToBigint(range.last) - base + 1n }
  }

  get addresses(): ReadonlyMap<string, Ip> {
    return this.#addresses
  }

  /** Names that found no free address. */
  get unplaced(): readonly string[] {
    return this.#unplaced
  }

  /**
   * Adds a name. A free first candidate is final: whoever passes over it would have taken it.
   *
   * @returns names whose address is another than before
   */
  add(name: string): readonly string[] {
    if (this.#candidates.has(name)) return []
    const candidate = firstCandidate(name, this.#space)
    this.#candidates.set(name, candidate)
    if (this.#taken.has(candidate)) return this.#replan()
    this.#place(name, candidate)
    return [name]
  }

  /** Removes a name. @returns names whose address is another than before */
  remove(name: string): readonly string[] {
    const address = this.#addresses.get(name)
    if (!this.#candidates.delete(name)) return []
    if (this.#displacedCount > 0 || address === undefined) return this.#replan()
    this.#addresses.delete(name)
    this.#taken.delete(ipToBigint(address) - this.#space.base)
    return [name]
  }

  /** Places all names anew, in the order of their text. */
  #replan(): readonly string[] {
    const before = this.#addresses
    this.#taken = new Set()
    this.#addresses = new Map()
    this.#unplaced = []
    this.#displacedCount = 0
    for (const name of [...this.#candidates.keys()].sort()) {
      if (BigInt(this.#taken.size) >= this.#space.size) this.#unplaced.push(name)
      else this.#place(name, this.#candidates.get(name) ?? 0n)
    }
    const names = new Set([...before.keys(), ...this.#addresses.keys()])
    return [...names].filter((name) => before.get(name) !== this.#addresses.get(name))
  }

  #place(name: string, candidate: bigint): void {
    let offset = candidate
    while (this.#taken.has(offset)) offset = (offset + 1n) % this.#space.size
    if (offset !== candidate) this.#displacedCount++
    this.#taken.add(offset)
    this.#addresses.set(name, ipFromBigint(this.#space.base + offset, this.#space.family))
  }
}

/**
 * The offset in the range that a name would have alone. The modulus is last − first, as in
 * DC/OS, so that the last address is only reached by probing.
 */
function firstCandidate(name: string, { family, size }: Space): bigint {
  const modulus = size - 1n
  if (modulus === 0n) return 0n
  if (family === 4) return BigInt(phash2(Buffer.from(name), Number(modulus)))
  return BigInt(`0x${createHash('sha1').update(name).digest('hex')}`) % modulus
}
