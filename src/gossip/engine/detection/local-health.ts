/**
 * How far this node may itself be the one that is slow: it gives others more time then.
 *
 * **Source:** Lifeguard (arXiv 1707.00788) §IV-A
 */
const MAX_SCORE = 8
/**
 * A good sign counts this long after the last change. Signs come many a second; a node that stands
 * still now and then must not count as well in between, or nodes that starve together doubt each other.
 */
const RECOVERY_MS = 1000

/** A score from 0, well, to 8. */
export class LocalHealth {
  #score = 0
  #changedMs = Number.NEGATIVE_INFINITY

  get score(): number {
    return this.#score
  }

  /** By how much times are stretched. */
  get factor(): number {
    return 1 + this.#score
  }

  improve(nowMs: number): void {
    if (this.#score === 0 || nowMs - this.#changedMs < RECOVERY_MS) return
    this.#score--
    this.#changedMs = nowMs
  }

  worsen(nowMs: number): void {
    this.#score = Math.min(MAX_SCORE, this.#score + 1)
    this.#changedMs = nowMs
  }
}
