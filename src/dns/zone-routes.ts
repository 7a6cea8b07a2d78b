import type { Zone } from './zone.ts'

/** A name in the zone that answers for it. */
export interface ZoneRoute {
  readonly zone: Zone
  /** The name below the zone's origin; empty for the origin itself. */
  readonly name: string
}

/** Finds the zone whose origin is the longest suffix of a name. */
export class ZoneRoutes {
  readonly #byOrigin: ReadonlyMap<string, Zone>

  constructor(zones: readonly Zone[]) {
    this.#byOrigin = new Map(zones.map((zone) => [zone.origin, zone]))
  }

  /** @param name lower case, without a final dot */
  find(name: string): ZoneRoute | undefined {
    for (let start = 0; ; ) {
      const zone = this.#byOrigin.get(name.slice(start))
      if (zone !== undefined) return { zone, name: name.slice(0, Math.max(0, start - 1)) }
      const dot = name.indexOf('.', start)
      if (dot < 0) return undefined
      start = dot + 1
    }
  }
}
