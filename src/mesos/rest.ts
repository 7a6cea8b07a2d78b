/** The shortest rest. */
const LEAST_MS = 25
/** As many polls are looked back on. */
const POLLS = 5

/**
 * How long an agent is left alone after a poll, although somebody says that it has news: as long as
 * polls take it, so that hints never cost it more than half of its time. What polls take is the median
 * of the last few: a single one that was held up, by whatever, must not make the next one late as well.
 */
export class Rest {
  #recentMs: readonly number[] = []

  /** A poll ended. */
  note(durationMs: number): void {
    this.#recentMs = [...this.#recentMs, durationMs].slice(-POLLS)
  }

  get durationMs(): number {
    const sorted = this.#recentMs.toSorted((left, right) => left - right)
    return Math.max(LEAST_MS, sorted[Math.floor(sorted.length / 2)] ?? 0)
  }
}
