/** The machine's monotonic clock: the same in all processes, so that their times compare. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
