/** Counts test results from what the test runners report. */

/** A test that did not run, and why. */
export interface Skip {
  readonly name: string
  readonly reason: string
}

/** The results of one or more runs. */
export interface Tally {
  readonly passed: number
  readonly failed: number
  readonly skips: readonly Skip[]
}

/** Nothing ran yet. */
export const EMPTY: Tally = { passed: 0, failed: 0, skips: [] }

/**
 * Counts what `cargo test -- --nocapture` printed. A Rust test that cannot run prints
 * `SKIPPED <name>: <reason>` and returns, so it counts as passed there; here it does not.
 * Ignored tests (measurements) count as skipped.
 */
export function countCargo(output: string): Tally {
  const results = [...output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed/gm)]
  const skips = [...output.matchAll(/SKIPPED ([\w:.-]+): (.*)$/gm)].map(([, name, reason]) => ({
    name: `rust ${name}`,
    reason: reason ?? '',
  }))
  const ignored = [...output.matchAll(/^test ([\w:]+) \.\.\. ignored(?:, (.*))?$/gm)].map(
    ([, name, reason]) => ({ name: `rust ${name}`, reason: reason ?? 'NO REASON GIVEN' }),
  )
  const sum = (group: 1 | 2) => results.reduce((total, match) => total + Number(match[group]), 0)
  return { passed: sum(1) - skips.length, failed: sum(2), skips: [...skips, ...ignored] }
}

/** The closing line: `12 passed, 0 failed, 1 skipped`. */
export function verdictLine({ passed, failed, skips }: Tally): string {
  return `${passed} passed, ${failed} failed, ${skips.length} skipped`
}
