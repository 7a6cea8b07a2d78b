import type { Places } from './places.ts'
import type { Row } from './table.ts'

/** How much is measured. */
export interface Settings {
  /** Also 50,000 VIPs. */
  readonly isLarge: boolean
  /** Interleaved repeats of each load. */
  readonly repeats: number
  /** Length of one load. */
  readonly seconds: number
  /** Tells what is being done. */
  readonly say: (line: string) => void
}

/** One measure: works in its places and returns its rows. */
export type Measure = (places: Places, settings: Settings) => Promise<Row[]>
