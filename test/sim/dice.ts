/** Draws from seeded dice. */
import type { Random } from '../../src/base/random.ts'

/** A whole number from 0 to limit − 1. */
export function below(random: Random, limit: number): number {
  return Math.floor(random.next() * limit)
}

/** A number between the two. */
export function between(random: Random, least: number, most: number): number {
  return least + (most - least) * random.next()
}

/** One of these; there must be one. */
export function oneOf<T>(random: Random, items: readonly T[]): T {
  return items[below(random, items.length)] as T
}

/** Those that a coin of this chance chooses. */
export function someOf<T>(random: Random, items: readonly T[], chance: number): T[] {
  return items.filter(() => random.next() < chance)
}

/** All, in a drawn order. */
export function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const order = [...items]
  for (let last = order.length - 1; last > 0; last--) {
    const other = below(random, last + 1)
    const moved = order[last] as T
    order[last] = order[other] as T
    order[other] = moved
  }
  return order
}
