/** Numbers of many, in few. */

/** Collects numbers; what never came counts as infinite. */
export class Sample {
  readonly #values: number[] = []

  get count(): number {
    return this.#values.length
  }

  add(value: number): void {
    this.#values.push(value)
  }

  /** The values that these shares of all do not exceed; NaN: there are none. */
  percentiles(...shares: readonly number[]): readonly number[] {
    const sorted = Float64Array.from(this.#values).sort()
    return shares.map((share) => {
      const index = Math.min(sorted.length - 1, Math.floor(share * sorted.length))
      return sorted[index] ?? Number.NaN
    })
  }
}

/** Milliseconds for a table. */
export function millis(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '–'
  return Number.isFinite(value) ? value.toFixed(0) : 'never'
}
