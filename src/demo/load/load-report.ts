/** What a run of requests gave. */
export interface LoadReport {
  /** Answers by backend. */
  readonly spread: Readonly<Record<string, number>>
  /** Failures by errno name. */
  readonly failures: Readonly<Record<string, number>>
  /** Duration of each answered request. */
  readonly timesUs: readonly number[]
}

/** The value below which `share` of the numbers lie, e.g. 0.99; NaN without numbers. */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((left, right) => left - right)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** Several runs as one. */
export function mergeReports(reports: readonly LoadReport[]): LoadReport {
  const sum = (counts: readonly Readonly<Record<string, number>>[]) => {
    const total: Record<string, number> = {}
    for (const [key, count] of counts.flatMap((each) => Object.entries(each)).sort()) {
      total[key] = (total[key] ?? 0) + count
    }
    return total
  }
  return {
    spread: sum(reports.map(({ spread }) => spread)),
    failures: sum(reports.map(({ failures }) => failures)),
    timesUs: reports.flatMap(({ timesUs }) => timesUs),
  }
}
