/** Which counter the turns of a service go by: as few services as can be share one. */
import type { ServiceKey } from '../../../model/vip.ts'
import { TURN_COUNTERS } from './draw.ts'

/** The counters of services that are served in turns. */
export class Turns {
  readonly #counters = new Map<ServiceKey, number>()
  readonly #users: number[] = Array.from({ length: TURN_COUNTERS }, () => 0)

  /** Starts from what services have. */
  reset(held: Iterable<readonly [ServiceKey, number]>): void {
    this.#counters.clear()
    this.#users.fill(0)
    for (const [key, counter] of held) this.#take(key, counter)
  }

  /** The counter of a service: the one that it has, or the least used. */
  counterOf(key: ServiceKey): number {
    const known = this.#counters.get(key)
    return known ?? this.#take(key, this.#users.indexOf(Math.min(...this.#users)))
  }

  /** The service is served in turns no more. */
  release(key: ServiceKey): void {
    const counter = this.#counters.get(key)
    if (counter === undefined) return
    this.#counters.delete(key)
    this.#users[counter] = (this.#users[counter] ?? 0) - 1
  }

  #take(key: ServiceKey, counter: number): number {
    this.#counters.set(key, counter)
    this.#users[counter] = (this.#users[counter] ?? 0) + 1
    return counter
  }
}
