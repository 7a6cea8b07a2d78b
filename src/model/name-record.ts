import type { Ip } from './ip.ts'

/** A name that navstar answers for: a named VIP and its addresses. */
export interface NameRecord {
  /** The name below the zone, mangled, e.g. `web.marathon`. */
  readonly name: string
  /** At most one per family for a VIP; several names' rows may share a name. */
  readonly addresses: readonly Ip[]
}
