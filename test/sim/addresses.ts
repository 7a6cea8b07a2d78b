/**
 * The address plan of each daemon, fed by what its engine shows: the claims of all nodes, and the
 * names that have backends. After quiet all must give each name the same address.
 */
import type { Effect, EngineInput } from '../../src/gossip/engine/effects.ts'
import { AddressBook } from '../../src/l4lb/addresses/address-book.ts'
import { decodeAddressClaim } from '../../src/l4lb/addresses/address-claim.ts'
import { type KeptClaims, OwnClaims } from '../../src/l4lb/addresses/own-claims.ts'
import type { Ip } from '../../src/model/ip.ts'
import {
  type ClusterRecord,
  type ClusterRecordId,
  type OwnRecordId,
  RECORD_KINDS,
} from '../../src/model/record.ts'
import type { Host } from './host.ts'
import type { Simulation, Watcher } from './simulation.ts'

/** So few addresses that names contend. */
const RANGES = [{ first: '11.0.0.0' as Ip, last: '11.0.0.12' as Ip }]
const NAMES: readonly string[] = Array.from({ length: 10 }, (_, index) => `web-${index}.marathon`)
const BEGIN_MS = 1_763_596_800_000
const COOL_DOWN_MS = 10_000
/** Changes of one turn of the event loop are published together. */
const TURN_MS = 1

/** What a daemon has of it. */
interface Desk {
  readonly book: AddressBook
  readonly claims: OwnClaims
  /** Which names each node has backends for. */
  readonly backends: Map<ClusterRecordId, string>
  isComplete: boolean
  isScheduled: boolean
}

/** The address plans of all daemons. */
export class Addresses implements Watcher {
  readonly #simulation: Simulation
  readonly #desks = new Map<Host, Desk>()
  readonly #kept = new Map<Host, KeptClaims>()

  constructor(simulation: Simulation) {
    this.#simulation = simulation
  }

  /** A backend of a drawn name comes to a host, or goes. */
  change(host: Host, index: number): void {
    const name = NAMES[index % NAMES.length] ?? ''
    const id = `${RECORD_KINDS.backends}/${name}` as OwnRecordId
    const isUp = !host.own.has(id)
    const record = { kind: RECORD_KINDS.backends, schema: 1, key: name, value: new Uint8Array(4) }
    this.#simulation.publish(host, [[id, isUp ? record : undefined]])
    this.#desks.get(host)?.claims.count({ family: 4, name }, isUp ? 1 : -1)
    this.#schedule(host)
  }

  onStarted(host: Host): void {
    if (host.node === undefined) return
    const book = new AddressBook(RANGES)
    const claims = new OwnClaims({
      self: host.node,
      addresses: book,
      coolDownMs: COOL_DOWN_MS,
      onMoved: () => {},
    })
    const kept = host.disk === undefined ? undefined : this.#kept.get(host)
    if (kept !== undefined) claims.restore(kept)
    this.#dropOldClaims(host)
    const desk = { book, claims, backends: new Map(), isComplete: false, isScheduled: false }
    this.#desks.set(host, desk)
    book.onMoved((names) => {
      claims.noteMoved(names)
      this.#schedule(host)
    })
    for (const { kind, key } of host.own.values()) {
      if (kind === RECORD_KINDS.backends) claims.count({ family: 4, name: key }, 1)
    }
  }

  /** Claims are published anew once those of the others are known. */
  #dropOldClaims(host: Host): void {
    for (const [id, { kind }] of host.own) {
      if (kind === RECORD_KINDS.addressClaim) host.own.delete(id)
    }
  }

  onStopped(host: Host): void {
    const desk = this.#desks.get(host)
    if (desk !== undefined) this.#kept.set(host, new Map(desk.claims.claims))
    this.#desks.delete(host)
  }

  onHandled(host: Host, _input: EngineInput, effects: readonly Effect[]): void {
    const desk = this.#desks.get(host)
    if (desk === undefined) return
    for (const effect of effects) {
      if (effect.kind === 'records') this.#hear(host, desk, effect.changes)
      if (effect.kind === 'complete') {
        desk.isComplete = true
        desk.claims.yield()
        this.#schedule(host)
      }
    }
  }

  #hear(
    host: Host,
    { book, backends }: Desk,
    changes: readonly (readonly [ClusterRecordId, ClusterRecord | undefined])[],
  ): void {
    const before = new Set(backends.values())
    for (const [id, record] of changes) {
      const kind = Number(id.slice(33).split('/', 1)[0])
      const key = id.slice(33 + String(kind).length + 1)
      if (kind === RECORD_KINDS.addressClaim && id.slice(0, 32) !== host.node) {
        this.#hearClaim(book, id, { key, record })
      }
      if (kind !== RECORD_KINDS.backends) continue
      if (record === undefined) backends.delete(id)
      else backends.set(id, key)
    }
    const after = new Set(backends.values())
    const family = 4
    book.want(
      [...after]
        .filter((name) => !before.has(name))
        .map((name) => ({ family, name, isWanted: true })),
    )
    book.want(
      [...before]
        .filter((name) => !after.has(name))
        .map((name) => ({ family, name, isWanted: false })),
    )
  }

  #hearClaim(
    book: AddressBook,
    id: ClusterRecordId,
    { key, record }: { readonly key: string; readonly record: ClusterRecord | undefined },
  ): void {
    const node = id.slice(0, 32) as ClusterRecord['node']
    const [, , name = ''] = /^([46])\/(.+)$/.exec(key) ?? []
    const read = record && decodeAddressClaim(record)
    const claim = read !== undefined && 'claim' in read ? read.claim : undefined
    book.claim([{ family: 4, name, node, claim }])
  }

  #schedule(host: Host): void {
    const desk = this.#desks.get(host)
    if (desk === undefined || desk.isScheduled) return
    desk.isScheduled = true
    this.#simulation.at(this.#simulation.nowMs + TURN_MS, () => {
      desk.isScheduled = false
      if (this.#desks.get(host) === desk && desk.isComplete) this.#flush(host, desk)
    })
  }

  #flush(host: Host, { claims }: Desk): void {
    const wallMs = Math.floor(BEGIN_MS + this.#simulation.nowMs + host.dateOffsetMs)
    claims.flush({ wallMs, isOwnComplete: host.isPublished })
    const records = new Map(claims.records())
    const stale = [...host.own].filter(
      ([id, { kind }]) => kind === RECORD_KINDS.addressClaim && records.get(id) === undefined,
    )
    const gone = stale.map(([id]) => [id, undefined] as const)
    const fresh = [...records].filter(([id, record]) => {
      const own = host.own.get(id)
      return record !== undefined && (own === undefined || !areEqual(own.value, record.value))
    })
    if (gone.length + fresh.length > 0) this.#simulation.publish(host, [...gone, ...fresh])
  }

  /** Ends cool-downs. */
  tick(): void {
    for (const host of this.#desks.keys()) this.#schedule(host)
  }

  /** Names that have different addresses on different hosts. */
  disagreements(hosts: readonly Host[]): readonly string[] {
    const lines: string[] = []
    for (const name of NAMES) {
      const addresses = hosts.map((host) => this.#desks.get(host)?.book.addressOf(name, 4))
      const distinct = new Set(addresses)
      if (distinct.size > 1) lines.push(`${name} is at ${[...distinct].join(' and ')}`)
    }
    return lines
  }
}

function areEqual(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0
}
