/** How properties run: the same cases each time, unless `SEED` says otherwise. */

/** Parameters for `fc.assert`. */
export function runs(numRuns: number): { readonly seed: number; readonly numRuns: number } {
  return { seed: Number(process.env['SEED'] ?? 20_251_120), numRuns }
}
