/** A source of dice; tests pass a seeded one. */
export interface Random {
  /** The next number in [0, 1). */
  next(): number
}

/** The machine's dice, for jitter and sampling; not for secrets. */
export const systemRandom: Random = { next: () => Math.random() }

/**
 * Dice that repeat for the same seed (mulberry32).
 *
 * @param seed a 32-bit integer
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return {
    next: () => {
      state = (state + 0x6d2b79f5) >>> 0
      let mixed = Math.imul(state ^ (state >>> 15), state | 1)
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
    },
  }
}
