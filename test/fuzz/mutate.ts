/** Makes inputs that are nearly right, which reach further than random bytes. */
import type { Random } from '../../src/base/random.ts'

/** An integer from 0 to below `end`. */
function below(random: Random, end: number): number {
  return Math.floor(random.next() * end)
}

function randomBytes(random: Random, mostBytes: number): Uint8Array {
  return new Uint8Array(below(random, mostBytes + 1)).map(() => below(random, 256))
}

/** Numbers that counts and lengths are likely to stumble over. */
const EDGES: readonly bigint[] = [
  0n,
  1n,
  0x7fn,
  0xffn,
  0x7fffn,
  0xffffn,
  0x7fff_ffffn,
  0xffff_ffffn,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 64n - 1n,
]

type Mutation = (bytes: Uint8Array, random: Random, other: Uint8Array) => Uint8Array

const truncated: Mutation = (bytes, random) => bytes.slice(0, below(random, bytes.length + 1))

const lengthened: Mutation = (bytes, random) => Buffer.concat([bytes, randomBytes(random, 64)])

const flipped: Mutation = (bytes, random) => {
  const copy = bytes.slice()
  for (let flips = 1 + below(random, 4); flips > 0 && copy.length > 0; flips--) {
    const at = below(random, copy.length)
    copy[at] = (copy[at] ?? 0) ^ (1 << below(random, 8))
  }
  return copy
}

/** One, two, four or eight bytes somewhere become a number at an edge. */
const edged: Mutation = (bytes, random) => {
  const copy = Buffer.from(bytes)
  const sizeBytes = 1 << below(random, 4)
  if (copy.length < sizeBytes) return copy
  const value = EDGES[below(random, EDGES.length)] ?? 0n
  const field = Buffer.alloc(8)
  field.writeBigUInt64BE(BigInt.asUintN(sizeBytes * 8, value))
  field.copy(copy, below(random, copy.length - sizeBytes + 1), 8 - sizeBytes)
  return copy
}

const spliced: Mutation = (bytes, random, other) =>
  Buffer.concat([
    bytes.subarray(0, below(random, bytes.length + 1)),
    other.subarray(below(random, other.length + 1)),
  ])

/** A stretch is left out, or comes twice. */
const stretched: Mutation = (bytes, random) => {
  const from = below(random, bytes.length + 1)
  const to = from + below(random, Math.min(bytes.length - from, 40) + 1)
  const isTwice = random.next() < 0.5
  return Buffer.concat([
    bytes.subarray(0, isTwice ? to : from),
    bytes.subarray(isTwice ? from : to),
  ])
}

const replaced: Mutation = (_, random) => randomBytes(random, 200)

const MUTATIONS: readonly Mutation[] = [
  truncated,
  lengthened,
  flipped,
  flipped,
  edged,
  edged,
  spliced,
  stretched,
  replaced,
]

/** The next input: one of the corpus, mutated up to three times; sometimes left as it is. */
export function nextInput(corpus: readonly Uint8Array[], random: Random): Uint8Array {
  let bytes = pick(corpus, random)
  for (let times = below(random, 4); times > 0; times--) {
    const mutation = MUTATIONS[below(random, MUTATIONS.length)] ?? flipped
    bytes = mutation(bytes, random, pick(corpus, random))
  }
  return bytes
}

function pick(corpus: readonly Uint8Array[], random: Random): Uint8Array {
  return corpus[below(random, corpus.length)] ?? new Uint8Array(0)
}
