/** Numbers of several repeats, and how they are printed. */

/** A median with the extremes. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** The spread of numbers; NaN without any. */
export function spreadOf(numbers: readonly number[]): Spread {
  const sorted = [...numbers].sort((left, right) => left - right)
  const upper = sorted[sorted.length >> 1] ?? Number.NaN
  const lower = sorted[(sorted.length - 1) >> 1] ?? Number.NaN
  return {
    median: (upper + lower) / 2,
    min: sorted[0] ?? Number.NaN,
    max: sorted.at(-1) ?? Number.NaN,
  }
}

/** Ratios of the repeats, each to the baseline of the same repeat: drift of the machine cancels. */
export function ratiosOf(numbers: readonly number[], baselines: readonly number[]): Spread {
  return spreadOf(numbers.map((number, index) => number / (baselines[index] ?? Number.NaN)))
}

/** Three significant digits, e.g. `9550`, `18.2`, `0.973`. */
export function digits(number: number): string {
  if (!Number.isFinite(number)) return '–'
  if (number >= 100) return String(Math.round(number))
  return number.toPrecision(3)
}

/** E.g. `9550 (8390–10300)`. */
export function spreadText({ median, min, max }: Spread): string {
  return `${digits(median)} (${digits(min)}–${digits(max)})`
}

/** E.g. `0.97 (0.94–1.02)`. */
export function ratioText({ median, min, max }: Spread): string {
  return `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`
}
