/** The set `hairpin`: each link with itself, so that traffic that turns round is recognised. */
import type { Nftables, NftOperation } from '../../../kernel/nftables.ts'
import type { Link } from '../../../kernel/routes.ts'
import { addElements, deleteElements } from './element-operations.ts'
import { decodeNumber, encodeHairpin, pack } from './elements.ts'
import { LENGTHS, TABLE } from './ruleset.ts'

/** Reads the link indexes in the set. */
export async function observeHairpin(nftables: Nftables): Promise<Set<number>> {
  const { hairpinKey: keyLength } = LENGTHS
  const request = { table: TABLE, set: 'hairpin', keyLength, valueLength: 0 }
  const { keys } = await nftables.elements(request)
  const indexes = new Set<number>()
  for (let offset = 0; offset < keys.length; offset += keyLength) {
    indexes.add(decodeNumber(keys, offset))
  }
  return indexes
}

/** What makes the set hold every link but the loopback. */
export function planHairpin(
  links: readonly Link[],
  held: ReadonlySet<number>,
): { defects: string[]; repairs: NftOperation[] } {
  const wanted = new Set(links.filter(({ isLoopback }) => !isLoopback).map(({ index }) => index))
  const missing = [...wanted].filter((index) => !held.has(index))
  const stale = [...held].filter((index) => !wanted.has(index))
  const repairs: NftOperation[] = []
  if (stale.length > 0) repairs.push(deleteElements('hairpin', pack(stale.map(encodeHairpin))))
  if (missing.length > 0) {
    repairs.push(addElements('hairpin', { keys: pack(missing.map(encodeHairpin)) }))
  }
  const count = missing.length + stale.length
  return { repairs, defects: count > 0 ? [`set hairpin differs for ${count} links`] : [] }
}
