/**
 * Keeps the desired services up to date with changing records: a change costs O(records of the
 * VIPs that it touches). What it holds always equals {@link desiredServices} of all records.
 */
import { NavstarError } from '../base/error.ts'
import type { BackendRecord, BackendRecordKey } from '../model/backend-record.ts'
import { type Family, familyOf, type Ip } from '../model/ip.ts'
import type { Service, ServiceKey } from '../model/vip.ts'
import { AddressPlanner, type VipRange } from './address-plan.ts'
import { desiredServices } from './desired.ts'
import { type NameClaims, ownerOf } from './name-owner.ts'

/** One VIP as users name it, over all its ports: `named:web.marathon` or `address:10.1.2.3`. */
type GroupKey = string

interface Group {
  readonly key: GroupKey
  readonly records: Map<BackendRecordKey, BackendRecord>
  services: ReadonlyMap<ServiceKey, Service>
}

/**
 * The groups that want one address, port and protocol, with their services: more than one where
 * a literal VIP is the address of a named one. The first in the order of the text is served.
 */
type Claimants = Map<GroupKey, Service>

/** Changed services; undefined for those that ended. */
export type ServiceChanges = ReadonlyMap<ServiceKey, Service | undefined>

/** The desired services of a changing set of records. */
export class DesiredServices {
  readonly #planners: ReadonlyMap<Family, AddressPlanner>
  readonly #groups = new Map<GroupKey, Group>()
  readonly #claimants = new Map<ServiceKey, Claimants>()
  readonly #collisions = new Map<GroupKey | ServiceKey, NavstarError>()
  #nodeIp: Ip | undefined

  /** @param ranges at most one per family; a family without one has no named VIPs */
  constructor(ranges: readonly VipRange[]) {
    this.#planners = new Map(
      ranges.map((range) => [familyOf(range.first), new AddressPlanner(range)]),
    )
  }

  /** VIPs that share a DNS name or an address, and names without an address. */
  get problems(): readonly NavstarError[] {
    const unplaced = [...this.#planners.values()].flatMap((planner) => planner.unplaced)
    const full = unplaced.map(
      (name) => new NavstarError('ADDRESS_RANGE_FULL', { attempt: `place ${name}` }),
    )
    return [...this.#collisions.values(), ...full]
  }

  /** The addresses of each name with a VIP, e.g. `web.marathon` → [11.0.0.37]. */
  addressesOf(name: string): readonly Ip[] {
    const addresses = [...this.#planners.values()].map((planner) => planner.addresses.get(name))
    return addresses.filter((address) => address !== undefined)
  }

  /**
   * Applies record changes.
   *
   * @param changes records by key; undefined removes
   * @param nodeIp this node's address, whose port mappings are passed by
   */
  update(
    changes: Iterable<readonly [BackendRecordKey, BackendRecord | undefined]>,
    { nodeIp }: { readonly nodeIp: Ip | undefined },
  ): ServiceChanges {
    const touched = new Set<GroupKey>()
    if (nodeIp !== this.#nodeIp) for (const key of this.#groups.keys()) touched.add(key)
    this.#nodeIp = nodeIp
    for (const [key, record] of changes) this.#put(key, record, touched)
    this.#replan(touched)
    const before = new Map<ServiceKey, Service | undefined>()
    for (const key of touched) this.#assemble(key, before)
    const services = new Map<ServiceKey, Service | undefined>()
    for (const [key, previous] of before) {
      this.#reportSharedAddress(key)
      const service = this.#served(key)
      if (!isSame(previous, service)) services.set(key, service)
    }
    return services
  }

  readonly #groupOf = new Map<BackendRecordKey, Group>()

  #put(key: BackendRecordKey, record: BackendRecord | undefined, touched: Set<GroupKey>): void {
    const previous = this.#groupOf.get(key)
    if (previous !== undefined) {
      touched.add(previous.key)
      previous.records.delete(key)
      this.#groupOf.delete(key)
    }
    if (record === undefined) return
    const groupKey = groupKeyOf(record)
    const group: Group = this.#groups.get(groupKey) ?? {
      key: groupKey,
      records: new Map(),
      services: new Map(),
    }
    group.records.set(key, record)
    this.#groups.set(group.key, group)
    this.#groupOf.set(key, group)
    touched.add(group.key)
  }

  /** Adds and removes names per family; names that moved are touched too. */
  #replan(touched: Set<GroupKey>): void {
    for (const [family, planner] of this.#planners) {
      for (const key of [...touched].filter(isNamed)) {
        const records = [...(this.#groups.get(key)?.records.values() ?? [])]
        const isWanted = records.some((record) => familyOf(record.address) === family)
        const moved = isWanted ? planner.add(nameOf(key)) : planner.remove(nameOf(key))
        for (const name of moved) touched.add(`named:${name}`)
      }
    }
  }

  /** The service that is served under this key. */
  #served(key: ServiceKey): Service | undefined {
    const claimants = this.#claimants.get(key)
    if (claimants === undefined) return undefined
    const [first] = claimants.size === 1 ? claimants.keys() : [...claimants.keys()].sort()
    return first === undefined ? undefined : claimants.get(first)
  }

  /** @param before receives what was served under each key that changes */
  #assemble(key: GroupKey, before: Map<ServiceKey, Service | undefined>): void {
    const group = this.#groups.get(key)
    if (group === undefined) return
    const claims = claimsOf(group.records.values())
    const owner = ownerOf(claims)
    this.#reportCollision(key, claims, owner)
    const owned = [...group.records.values()].filter((record) => claimantOf(record) === owner)
    const services = desiredServices(owned, {
      addressOf: (name, family) => this.#planners.get(family)?.addresses.get(name),
      nodeIp: this.#nodeIp,
    })
    for (const old of group.services.keys()) {
      if (!before.has(old)) before.set(old, this.#served(old))
      this.#claim(old, key, services.get(old))
    }
    for (const [serviceKey, service] of services) {
      if (!before.has(serviceKey)) before.set(serviceKey, this.#served(serviceKey))
      this.#claim(serviceKey, key, service)
    }
    group.services = services
    if (group.records.size === 0) this.#groups.delete(key)
  }

  #claim(key: ServiceKey, group: GroupKey, service: Service | undefined): void {
    const claimants: Claimants = this.#claimants.get(key) ?? new Map()
    if (service === undefined) claimants.delete(group)
    else claimants.set(group, service)
    if (claimants.size === 0) this.#claimants.delete(key)
    else this.#claimants.set(key, claimants)
  }

  #reportSharedAddress(key: ServiceKey): void {
    const groups = [...(this.#claimants.get(key)?.keys() ?? [])].sort()
    if (groups.length < 2) {
      this.#collisions.delete(key)
      return
    }
    const attempt = `serve ${key} for ${groups.slice(1).map(nameOf).join(', ')}`
    this.#collisions.set(key, new NavstarError('VIP_ADDRESS_COLLISION', { attempt }))
  }

  #reportCollision(key: GroupKey, claims: NameClaims, owner: string | undefined): void {
    if (claims.size < 2) {
      this.#collisions.delete(key)
      return
    }
    const losers = [...claims].filter((claimant) => claimant !== owner)
    const attempt = `serve ${nameOf(key)} for ${losers.join(', ')}`
    const cause = `${owner} owns the name`
    this.#collisions.set(key, new NavstarError('LABEL_COLLISION', { attempt, cause }))
  }
}

function groupKeyOf({ vip }: BackendRecord): GroupKey {
  return vip.kind === 'named' ? `named:${vip.name}` : `address:${vip.address}`
}

function isNamed(key: GroupKey): boolean {
  return key.startsWith('named:')
}

function nameOf(key: GroupKey): string {
  return key.slice(key.indexOf(':') + 1)
}

function claimantOf({ vip }: BackendRecord): string {
  return vip.kind === 'named' ? `${vip.rawLabel}@${vip.framework}` : vip.address
}

function claimsOf(records: Iterable<BackendRecord>): NameClaims {
  return new Set([...records].map(claimantOf))
}

function isSame(left: Service | undefined, right: Service | undefined): boolean {
  return JSON.stringify(left) === JSON.stringify(right)
}
