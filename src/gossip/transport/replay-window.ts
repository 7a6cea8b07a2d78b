/** How far a packet may come late and still be told from a repeated one. */
export const WINDOW_COUNTERS = 1024

/**
 * Which counters of a session were taken. Anything too old to tell counts as taken.
 *
 * **Source:** RFC 4303 §3.4.3
 */
export class ReplayWindow {
  readonly #taken: Uint32Array = new Uint32Array(WINDOW_COUNTERS / 32)
  /** One above the highest that was taken. */
  #next = 0

  /** Whether the counter can still be taken. */
  isFresh(counter: number): boolean {
    if (counter >= this.#next) return true
    if (counter < this.#next - WINDOW_COUNTERS) return false
    return ((this.#taken[wordOf(counter)] ?? 0) & bitOf(counter)) === 0
  }

  /** Takes the counter. @returns false when it was taken before, or is too old to tell */
  take(counter: number): boolean {
    if (!this.isFresh(counter)) return false
    if (counter >= this.#next) this.#advance(counter + 1)
    this.#taken[wordOf(counter)] = (this.#taken[wordOf(counter)] ?? 0) | bitOf(counter)
    return true
  }

  #advance(next: number): void {
    if (next - this.#next >= WINDOW_COUNTERS) this.#taken.fill(0)
    else
      for (let counter = this.#next; counter < next; counter++)
        this.#taken[wordOf(counter)] = (this.#taken[wordOf(counter)] ?? 0) & ~bitOf(counter)
    this.#next = next
  }
}

function wordOf(counter: number): number {
  return Math.floor((counter % WINDOW_COUNTERS) / 32)
}

function bitOf(counter: number): number {
  return 1 << (counter % 32)
}
