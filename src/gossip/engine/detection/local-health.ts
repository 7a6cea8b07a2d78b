/**
 * How far this node may itself be the one that is slow: it gives others more time then.
 *
 * **Source:** Lifeguard (arXiv 1707.00788) §IV-A
 */
const MAX_SCORE = 8

/** A score from 0, well, to 8. */
export class LocalHealth {
  #score = 0

  get score(): number {
    return this.#score
  }

  /** By how much times are stretched. */
  get factor(): number {
    return 1 + this.#score
  }

  improve(): void {
    this.#score = Math.max(0, this.#score - 1)
  }

  worsen(): void {
    this.#score = Math.min(MAX_SCORE, this.#score + 1)
  }
}
