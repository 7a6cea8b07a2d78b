/**
 * Digests of what is known, over ranges of node ids: the whole, by the first digit, by the first two.
 * A range's digest is the XOR of its rows', so that a change costs O(1). These find differences; what
 * is believed is decided by signatures.
 */
import type { NodeId } from '../../../model/node-id.ts'
import type { Digest } from '../messages.ts'

/** What a row says of a node; equal rows have equal digests on all nodes. */
export interface DigestRow {
  readonly node: NodeId
  readonly incarnation: number
  readonly isAccused: boolean
  readonly held: number
}

/** How many ranges a range is split in. */
export const FANOUT = 16

const LEAVES = FANOUT * FANOUT

/** The digest of nothing. */
export const ZERO_DIGEST: Digest = { high: 0, low: 0 }

/** Keeps the digests of a changing set of rows. */
export class DigestTree {
  /** Two words per range: 256 by two digits, then 16 by one, then all. */
  readonly #words = new Int32Array(2 * (LEAVES + FANOUT + 1))

  /** Adds a row, or takes it away when it was there. */
  toggle(row: DigestRow): void {
    const { high, low } = rowDigest(row)
    const leaf = rangeOf(row.node)
    for (const range of [leaf, LEAVES + (leaf >> 4), LEAVES + FANOUT]) {
      this.#words[2 * range] = (this.#words[2 * range] ?? 0) ^ high
      this.#words[2 * range + 1] = (this.#words[2 * range + 1] ?? 0) ^ low
    }
  }

  get root(): Digest {
    return this.#at(LEAVES + FANOUT)
  }

  /** The ranges by the first digit. */
  get ranges(): readonly Digest[] {
    return Array.from({ length: FANOUT }, (_, digit) => this.#at(LEAVES + digit))
  }

  /** The ranges below a first digit, by the second. */
  below(digit: number): readonly Digest[] {
    return Array.from({ length: FANOUT }, (_, second) => this.#at(digit * FANOUT + second))
  }

  #at(range: number): Digest {
    return {
      high: (this.#words[2 * range] ?? 0) >>> 0,
      low: (this.#words[2 * range + 1] ?? 0) >>> 0,
    }
  }
}

/** Which of the 256 ranges a node is in: its first two digits. */
export function rangeOf(node: NodeId): number {
  return Number.parseInt(node.slice(0, 2), 16)
}

export function isSameDigest(left: Digest | undefined, right: Digest | undefined): boolean {
  return left?.high === right?.high && left?.low === right?.low
}

function rowDigest({ node, incarnation, isAccused, held }: DigestRow): Digest {
  const words = [
    Number.parseInt(node.slice(0, 8), 16) | 0,
    Number.parseInt(node.slice(8, 16), 16) | 0,
    incarnation | 0,
    Math.floor(incarnation / 2 ** 32) * 2 + (isAccused ? 1 : 0),
    held | 0,
    Math.floor(held / 2 ** 32),
  ]
  return { high: hashWords(words, 0x9747b28c), low: hashWords(words, 0x1b873593) }
}

/** MurmurHash3 (32 bits) over words. **Source:** Austin Appleby, public domain description */
function hashWords(words: readonly number[], seed: number): number {
  let hash = seed
  for (const word of words) {
    let mixed = Math.imul(word, 0xcc9e2d51)
    mixed = Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593)
    hash ^= mixed
    hash = Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64
  }
  hash ^= words.length * 4
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
