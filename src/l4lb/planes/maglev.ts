/**
 * Tables of consistent hashing: each client has a place in the table, each place a backend. When a
 * backend comes or goes, few places change theirs beside those that must.
 *
 * Every backend walks the places in an order of its own and takes the next free one in its turn; a
 * backend of less weight sits out some turns. The paper's tables have a prime number of places so
 * that every step visits all; here it is a power of two, since BPF programs compute a place with a
 * mask's ease, and so the steps are odd.
 *
 * **Source:** Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI
 * 2016, §3.4
 */
import { type Backend, formatEndpoint } from '../../model/vip.ts'

/** Places for each backend: their shares differ by about a sixteenth at most. */
const PLACES_PER_BACKEND = 16
const LEAST_PLACES = 64
const MOST_PLACES = 16_384

/** How many places a table for so many backends has: a power of two. */
export function maglevSize(backends: number): number {
  let places = LEAST_PLACES
  while (places < backends * PLACES_PER_BACKEND && places < MOST_PLACES) places *= 2
  while (places < backends) places *= 2
  return places
}

/**
 * The table of these backends, none of weight 0, in the order of their endpoints. The same on every
 * node.
 */
export function maglevTable(backends: readonly Backend[]): Backend[] {
  if (backends.length === 0) return []
  const size = maglevSize(backends.length)
  const heaviest = Math.max(...backends.map(({ weight }) => weight))
  const walks = backends.map((backend) => walkOf(backend, size, heaviest))
  const table: (Backend | undefined)[] = Array.from({ length: size })
  let taken = 0
  while (taken < size) {
    for (const walk of walks) {
      walk.credit += walk.backend.weight
      if (walk.credit < heaviest) continue
      walk.credit -= heaviest
      while (table[walk.place] !== undefined) advance(walk, size)
      table[walk.place] = walk.backend
      taken++
      if (taken === size) break
    }
  }
  return table.flatMap((backend) => backend ?? [])
}

interface Walk {
  readonly backend: Backend
  readonly step: number
  place: number
  /** A turn costs as much as the heaviest backend weighs; each can pay for its first one. */
  credit: number
}

function walkOf(backend: Backend, size: number, heaviest: number): Walk {
  const text = formatEndpoint(backend)
  const place = hash(text, 0x811c_9dc5) & (size - 1)
  return { backend, place, step: hash(text, 0x2545_f491) | 1, credit: heaviest - backend.weight }
}

function advance(walk: Walk, size: number): void {
  walk.place = (walk.place + walk.step) & (size - 1)
}

/** FNV-1a with the finalizer of MurmurHash3, from a seed; 32 bits. */
function hash(text: string, seed: number): number {
  let state = seed
  for (let index = 0; index < text.length; index++) {
    state = Math.imul(state ^ text.charCodeAt(index), 0x0100_0193)
  }
  state = Math.imul(state ^ (state >>> 16), 0x85eb_ca6b)
  state = Math.imul(state ^ (state >>> 13), 0xc2b2_ae35)
  return (state ^ (state >>> 16)) >>> 0
}
