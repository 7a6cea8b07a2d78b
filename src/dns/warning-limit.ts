import type { Clock } from '../base/clock.ts'
import type { Log, LogFields } from '../base/log.ts'

/** At most one warning in this time. */
const INTERVAL_MS = 10_000

/** Lets one warning through per interval and says how many it held back. */
export class WarningLimit {
  readonly #log: Log
  readonly #clock: Clock
  #nextMs = Number.NEGATIVE_INFINITY
  #heldBack = 0

  constructor(log: Log, clock: Clock) {
    this.#log = log
    this.#clock = clock
  }

  /** Logs at warn, or counts. */
  warn(message: string, fields: LogFields): void {
    const nowMs = this.#clock.nowMs()
    if (nowMs < this.#nextMs) {
      this.#heldBack++
      return
    }
    this.#log.warn(message, { ...fields, heldBack: this.#heldBack })
    this.#nextMs = nowMs + INTERVAL_MS
    this.#heldBack = 0
  }
}
