/** Counts what became of visits. */
import type { Tally, Visit } from './traffic.ts'

/** A tally that grows. */
export class Counts {
  readonly #servers = new Map<string, number>()
  readonly #errors = new Map<string, number>()
  #total = 0

  add({ exchange, error }: Visit): void {
    this.#total++
    const [map, key] = exchange
      ? ([this.#servers, exchange.server] as const)
      : ([this.#errors, error ?? ''] as const)
    map.set(key, (map.get(key) ?? 0) + 1)
  }

  total(): number {
    return this.#total
  }

  tally(): Tally {
    return { servers: Object.fromEntries(this.#servers), errors: Object.fromEntries(this.#errors) }
  }
}
