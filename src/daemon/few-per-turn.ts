/** Many small acts that come at once, done a few in each turn of the event loop. */
import type { Scope } from '../base/scope.ts'
import { endOfTurn } from '../base/turn.ts'

/** A first snapshot names every agent of the cluster; to seal a datagram for each takes a while. */
const ACTS_PER_TURN = 16

/** Does what it is given from the end of the turn on, until the scope ends. */
export class FewPerTurn {
  readonly #scope: Scope
  readonly #waiting = new Map<string, () => void>()
  #isActing = false

  constructor(scope: Scope) {
    this.#scope = scope
  }

  /** @param key what waits under the same key is done once */
  add(key: string, act: () => void): void {
    this.#waiting.set(key, act)
    if (this.#isActing) return
    this.#isActing = true
    this.#scope.run((signal) => this.#act(signal))
  }

  async #act(signal: AbortSignal): Promise<void> {
    while (this.#waiting.size > 0 && !signal.aborted) {
      await endOfTurn()
      let left = ACTS_PER_TURN
      for (const [key, act] of this.#waiting) {
        if (left-- === 0) break
        this.#waiting.delete(key)
        act()
      }
    }
    this.#isActing = false
  }
}
