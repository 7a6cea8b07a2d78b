import type { Table, TableChange } from '../base/table.ts'
import { isIpv4 } from '../model/ip.ts'
import type { NameRecord } from '../model/name-record.ts'

/** Start of authority. **Source:** RFC 1035 §3.3.13 */
export interface Soa {
  readonly mname: string
  readonly rname: string
  readonly serial: number
  readonly refresh: number
  readonly retry: number
  readonly expire: number
  readonly minimum: number
}

/** A record of a zone; the owner name is the one it was looked up by. */
export type ZoneRecord =
  | { readonly type: 'A' | 'AAAA' | 'NS'; readonly ttlSeconds: number; readonly data: string }
  | { readonly type: 'SOA'; readonly ttlSeconds: number; readonly data: Soa }

/** What a zone knows of a name. */
export type Lookup =
  /** The name exists; without records it is an empty non-terminal. */
  | { readonly kind: 'found'; readonly records: readonly ZoneRecord[] }
  | { readonly kind: 'absent' }
  /** The zone is not complete yet, so nobody can say. */
  | { readonly kind: 'unready' }

/** A part of the name space that this server answers for. */
export interface Zone {
  /** Lower case, without a final dot, e.g. `l4lb.thisdcos.directory`. */
  readonly origin: string
  readonly soa: ZoneRecord
  /** @param name below the origin, lower case; empty for the origin itself */
  lookup(name: string): Lookup
}

/** What a zone of names is made of. */
export interface NameZoneOptions {
  readonly origin: string
  readonly ttlSeconds: number
  readonly names: Table<string, NameRecord>
}

const NS_TTL_SECONDS = 3600
const ABSENT: Lookup = { kind: 'absent' }
const UNREADY: Lookup = { kind: 'unready' }
const EMPTY: Lookup = { kind: 'found', records: [] }

/**
 * The zone of named VIPs, kept equal to a table row by row. Rows that share a name are answered
 * together. Until the table is complete only what it holds is answered.
 *
 * **Source:** dcos-net `apps/dcos_dns/src/dcos_dns.erl` (SOA and NS values)
 */
export class NameZone implements Zone {
  readonly origin: string
  readonly #options: NameZoneOptions
  /** Rows as indexed, so that a changed row can be taken out again. */
  readonly #indexed = new Map<string, NameRecord>()
  readonly #rowsByName = new Map<string, Map<string, readonly ZoneRecord[]>>()
  /** How many row names lie below a name: what makes it an empty non-terminal. */
  readonly #countBelow = new Map<string, number>()
  readonly #stop: () => void

  constructor(options: NameZoneOptions) {
    this.origin = options.origin.toLowerCase().replace(/\.$/, '')
    this.#options = options
    this.#stop = options.names.onChange((change) => this.#follow(change))
    const { snapshot } = options.names
    this.#follow({ snapshot, keys: new Set(snapshot.rows.keys()) })
  }

  /** How many distinct names there are. */
  get nameCount(): number {
    return this.#rowsByName.size
  }

  get soa(): ZoneRecord {
    const data = {
      mname: 'ns.spartan',
      rname: 'support.mesosphere.com',
      serial: this.#options.names.snapshot.revision % 2 ** 32,
      refresh: 60,
      retry: 180,
      expire: 86400,
      minimum: 1,
    }
    return { type: 'SOA', ttlSeconds: this.#options.ttlSeconds, data }
  }

  lookup(name: string): Lookup {
    if (name === '') {
      const ns = { type: 'NS', ttlSeconds: NS_TTL_SECONDS, data: 'ns.spartan' } as const
      return { kind: 'found', records: [this.soa, ns] }
    }
    const rows = this.#rowsByName.get(name)
    if (rows !== undefined) return { kind: 'found', records: [...rows.values()].flat() }
    if (!this.#options.names.snapshot.isComplete) return UNREADY
    return this.#countBelow.has(name) ? EMPTY : ABSENT
  }

  /** Stops following the table. */
  close(): void {
    this.#stop()
  }

  #follow({ snapshot, keys }: TableChange<string, NameRecord>): void {
    for (const key of keys) {
      const before = this.#indexed.get(key)
      const after = snapshot.rows.get(key)
      if (before !== undefined) this.#remove(key, before)
      if (after !== undefined) this.#add(key, after)
    }
  }

  #add(key: string, record: NameRecord): void {
    const name = record.name.toLowerCase()
    const rows = this.#rowsByName.get(name) ?? new Map<string, readonly ZoneRecord[]>()
    if (rows.size === 0) this.#countAncestors(name, 1)
    rows.set(key, this.#recordsOf(record))
    this.#rowsByName.set(name, rows)
    this.#indexed.set(key, record)
  }

  #remove(key: string, record: NameRecord): void {
    const name = record.name.toLowerCase()
    const rows = this.#rowsByName.get(name)
    rows?.delete(key)
    this.#indexed.delete(key)
    if (rows?.size !== 0) return
    this.#rowsByName.delete(name)
    this.#countAncestors(name, -1)
  }

  #countAncestors(name: string, step: 1 | -1): void {
    for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      const ancestor = name.slice(dot + 1)
      const count = (this.#countBelow.get(ancestor) ?? 0) + step
      if (count === 0) this.#countBelow.delete(ancestor)
      else this.#countBelow.set(ancestor, count)
    }
  }

  #recordsOf({ addresses }: NameRecord): readonly ZoneRecord[] {
    const { ttlSeconds } = this.#options
    return addresses.map((address) => ({
      type: isIpv4(address) ? 'A' : 'AAAA',
      ttlSeconds,
      data: address,
    }))
  }
}
