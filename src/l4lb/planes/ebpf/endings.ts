/** Which backends' sockets end, and when: from what is held and what was just done. */
import { parseServiceKey } from '../../../model/vip.ts'
import type { PlaneOperation } from '../../plane.ts'
import type { Departure, HeldServices } from './held-services.ts'
import type { Leaving } from './leaving.ts'

/**
 * An answer that is on its way still arrives. A tenth of a second after a backend left, nothing may
 * point to it.
 */
const LAST_WORDS_MS = 30

/** Follows the services of a plane. */
export class Endings {
  readonly #leaving: Leaving
  readonly #services: HeldServices
  #isFirst = true

  constructor(leaving: Leaving, services: HeldServices) {
    this.#leaving = leaving
    this.#services = services
  }

  /**
   * After the maps were read. A daemon that just started takes over the draining backends, whose time
   * begins anew, and ends what the one before it could not.
   */
  async noteObserved(): Promise<void> {
    if (!this.#isFirst) return
    for (const backend of this.#services.backends()) {
      if (backend.weight === 0) this.#drain(backend)
    }
    await this.#leaving.endStrays(({ key, backend }) => this.#services.has(key, backend))
    this.#isFirst = false
  }

  /** After operations were carried out. */
  noteApplied(operations: readonly PlaneOperation[]): void {
    for (const departure of this.#services.takeDepartures()) {
      const isDatagrams = parseServiceKey(departure.key).protocol === 'udp'
      if (isDatagrams) this.#leaving.schedule(departure, LAST_WORDS_MS)
      else this.#drain(departure)
    }
    for (const operation of operations) {
      if (operation.kind !== 'put') continue
      for (const backend of this.#services.backendsOf(operation.key)) {
        if (backend.weight === 0) this.#drain(backend)
        else this.#leaving.cancel(backend)
      }
    }
  }

  close(): void {
    this.#leaving.close()
  }

  #drain(departure: Departure): void {
    const { drain } = departure
    if (drain === 'graceful') this.#leaving.cancel(departure)
    else this.#leaving.schedule(departure, drain === 'reset' ? 0 : drain * 1_000)
  }
}
