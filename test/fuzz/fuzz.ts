/** Feeds one decoder with inputs and judges what it does. */
import { isDeepStrictEqual } from 'node:util'
import { seededRandom } from '../../src/base/random.ts'
import type { FuzzedDecoder } from './decoder.ts'
import { heldBytes, usedBytes } from './memory.ts'
import { nextInput } from './mutate.ts'

/** How long and with which dice. */
export interface FuzzRun {
  readonly inputs: number
  readonly seed: number
}

/** What a decoder did that it must not do. */
export interface FuzzFailure {
  readonly reason: string
  /** Undefined when no single input is to blame. */
  readonly bytes?: Uint8Array
}

/** What came of a run. */
export interface FuzzResult {
  readonly inputs: number
  /** How many inputs said something. */
  readonly accepted: number
  readonly elapsedMs: number
  /** What is held more after the run than after its first tenth. */
  readonly growthBytes: number
  readonly failure?: FuzzFailure
}

/** Noise of the measurement, and what a run may hold more per input: less than anything kept. */
const MOST_GROWTH_BYTES = 512 * 1024
const MOST_GROWTH_PER_INPUT_BYTES = 4

/** What reading one input may take: noise of the measurement, and a multiple of the input. */
const MOST_TAKEN_BYTES = 256 * 1024
const MOST_TAKEN_PER_BYTE = 64

/** Looking at memory takes longer than reading, so only at each of so many inputs. */
const LOOK_EVERY = 16

const MOST_MS = 2000

/** Runs a decoder until all inputs are read or one fails. The same run gives the same inputs. */
export function fuzz(decoder: FuzzedDecoder, { inputs, seed }: FuzzRun): FuzzResult {
  const random = seededRandom(seed)
  const corpus = decoder.corpus(seed)
  const startMs = performance.now()
  const warmUp = Math.ceil(inputs / 10)
  let accepted = 0
  let heldBefore = 0
  for (let index = 0; index < inputs; index++) {
    if (index === warmUp) heldBefore = heldBytes()
    const bytes = nextInput(corpus, random)
    const verdict = index % LOOK_EVERY === 0 ? judgeCost(decoder, bytes) : judge(decoder, bytes)
    if (verdict === 'accepted') accepted++
    else if (verdict !== 'refused') {
      const elapsedMs = performance.now() - startMs
      const failure = { reason: verdict.reason, bytes }
      return { inputs: index + 1, accepted, elapsedMs, growthBytes: 0, failure }
    }
  }
  const elapsedMs = performance.now() - startMs
  const growthBytes = inputs > warmUp ? heldBytes() - heldBefore : 0
  const result = { inputs, accepted, elapsedMs, growthBytes }
  const isLeaking = growthBytes > MOST_GROWTH_BYTES + inputs * MOST_GROWTH_PER_INPUT_BYTES
  if (!isLeaking) return result
  return { ...result, failure: { reason: `holds ${growthBytes} bytes more than at first` } }
}

type Verdict = 'accepted' | 'refused' | { readonly reason: string }

/** Reads, writes and reads again. */
function judge(decoder: FuzzedDecoder, bytes: Uint8Array): Verdict {
  try {
    const first = decoder.decode(bytes)
    if (first === undefined) return 'refused'
    const written = decoder.encode(first)
    const second = decoder.decode(written)
    if (isDeepStrictEqual(first, second)) return 'accepted'
    return { reason: `reads back differently from ${Buffer.from(written).toString('hex')}` }
  } catch (error) {
    return { reason: `throws ${error instanceof Error ? error.stack : error}` }
  }
}

/** Besides, sees what one reading takes. */
function judgeCost(decoder: FuzzedDecoder, bytes: Uint8Array): Verdict {
  const verdict = judge(decoder, bytes)
  if (typeof verdict === 'object' || !isCostly(costOf(decoder, bytes), bytes)) return verdict
  // The engine compiles and collects now and then: only what repeats is the decoder's.
  const costs = [1, 2, 3, 4, 5].map(() => costOf(decoder, bytes))
  const costly = costs.filter((cost) => isCostly(cost, bytes))
  const [cost] = costly
  if (cost === undefined || costly.length < 3) return verdict
  const { takenBytes, elapsedMs } = cost
  return { reason: `takes ${takenBytes} bytes and ${elapsedMs.toFixed(1)} ms for ${bytes.length}` }
}

interface Cost {
  readonly takenBytes: number
  readonly elapsedMs: number
}

function costOf(decoder: FuzzedDecoder, bytes: Uint8Array): Cost {
  const startMs = performance.now()
  const before = usedBytes()
  decoder.decode(bytes)
  const takenBytes = usedBytes() - before
  return { takenBytes, elapsedMs: performance.now() - startMs }
}

function isCostly({ takenBytes, elapsedMs }: Cost, bytes: Uint8Array): boolean {
  const mostBytes = MOST_TAKEN_BYTES + bytes.length * MOST_TAKEN_PER_BYTE
  return takenBytes > mostBytes || elapsedMs > MOST_MS
}
