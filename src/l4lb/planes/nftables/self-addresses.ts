/**
 * The sets `self4` and `self6`: each backend's address with itself, so that a backend that draws
 * itself is recognised and does not see a packet with its own source address.
 */
import type { Nftables, NftOperation } from '../../../kernel/nftables.ts'
import { type Family, familyOf, type Ip } from '../../../model/ip.ts'
import { readIp, writeIp } from '../../../model/ip-bytes.ts'
import { addElements, deleteElements } from './element-operations.ts'
import { pack } from './elements.ts'
import { FAMILIES } from './rules.ts'
import { LENGTHS, TABLE } from './ruleset.ts'

/** The addresses of backends, each with the number of slots that it has. */
export class SelfAddresses {
  readonly #slots = new Map<Ip, number>()
  #held = new Set<Ip>()

  /** Starts from what the sets hold and what the slots use. */
  reset(held: Iterable<Ip>, used: Iterable<Ip>): void {
    this.#held = new Set(held)
    this.#slots.clear()
    for (const address of used) this.#slots.set(address, (this.#slots.get(address) ?? 0) + 1)
  }

  /** Counts slots that came and went. @returns what makes the sets follow */
  change(added: Iterable<Ip>, removed: Iterable<Ip>): NftOperation[] {
    for (const address of added) this.#slots.set(address, (this.#slots.get(address) ?? 0) + 1)
    for (const address of removed) {
      const slots = (this.#slots.get(address) ?? 0) - 1
      if (slots > 0) this.#slots.set(address, slots)
      else this.#slots.delete(address)
    }
    return this.#follow([...new Set([...added, ...removed])])
  }

  /** What makes the sets equal the backends' addresses, after a {@link reset}. */
  repair(): NftOperation[] {
    return this.#follow([...new Set([...this.#held, ...this.#slots.keys()])])
  }

  #follow(addresses: readonly Ip[]): NftOperation[] {
    const missing = addresses.filter(
      (address) => this.#slots.has(address) && !this.#held.has(address),
    )
    const stale = addresses.filter(
      (address) => !this.#slots.has(address) && this.#held.has(address),
    )
    for (const address of missing) this.#held.add(address)
    for (const address of stale) this.#held.delete(address)
    return ([4, 6] as const).flatMap((family) => [
      ...operations(family, stale, (set, keys) => deleteElements(set, keys)),
      ...operations(family, missing, (set, keys) => addElements(set, { keys })),
    ])
  }
}

/** Reads those of the sets that are there. */
export async function observeSelfAddresses(
  nftables: Nftables,
  sets: ReadonlySet<string>,
): Promise<Ip[]> {
  const addresses: Ip[] = []
  for (const family of ([4, 6] as const).filter((each) => sets.has(`self${each}`))) {
    const keyLength = LENGTHS[family].selfKey
    const request = { table: TABLE, set: `self${family}`, keyLength, valueLength: 0 }
    const { keys } = await nftables.elements(request)
    for (let offset = 0; offset < keys.length; offset += keyLength) {
      addresses.push(readIp(keys, offset, FAMILIES[family].addressBytes))
    }
  }
  return addresses
}

function operations(
  family: Family,
  addresses: readonly Ip[],
  operation: (set: string, keys: Uint8Array) => NftOperation,
): NftOperation[] {
  const own = addresses.filter((address) => familyOf(address) === family)
  return own.length === 0 ? [] : [operation(`self${family}`, pack(own.map(encodeSelf)))]
}

function encodeSelf(address: Ip): Uint8Array {
  const { addressBytes } = FAMILIES[familyOf(address)]
  const bytes = new Uint8Array(2 * addressBytes)
  writeIp(address, bytes, 0)
  writeIp(address, bytes, addressBytes)
  return bytes
}
