/**
 * Keeps the desired services up to date with changing records: a change costs O(records of the
 * VIPs that it touches). What it holds always equals {@link desiredServices} of all records.
 */
import { NavstarError } from '../../base/error.ts'
import type { BackendRecord, BackendRecordKey } from '../../model/backend-record.ts'
import { type Family, familyOf, type Ip } from '../../model/ip.ts'
import type { Service, ServiceKey } from '../../model/vip.ts'
import type { Zone } from '../../model/zone.ts'
import { AddressBook } from '../addresses/address-book.ts'
import type { VipRange } from '../addresses/address-space.ts'
import { FormerAddresses } from '../addresses/former-addresses.ts'
import { contestedOptions } from './agreed-options.ts'
import { desiredServices } from './desired.ts'
import { type NameClaims, ownerOf } from './name-owner.ts'
import { type GroupKey, type GroupServices, ServiceClaimants } from './service-claimants.ts'

interface Group {
  readonly key: GroupKey
  readonly records: Map<BackendRecordKey, BackendRecord>
  services: GroupServices
  /** The same at addresses that the name had before. */
  formerServices: GroupServices
}

/** Changed services; undefined for those that ended. */
export type ServiceChanges = ReadonlyMap<ServiceKey, Service | undefined>

/** What {@link DesiredServices.update} needs beside the records. */
export interface UpdateContext {
  /** This node's address, whose port mappings are passed by. */
  readonly nodeIp: Ip | undefined
  /** This node's zone. */
  readonly zone?: Zone | undefined
  /** Now, by a clock that only grows. */
  readonly nowMs?: number
  /** Names whose address changed by claims since the last update. */
  readonly moved?: Iterable<string>
}

/** The desired services of a changing set of records. */
export class DesiredServices {
  readonly #addresses: AddressBook
  readonly #former: FormerAddresses
  readonly #groups = new Map<GroupKey, Group>()
  readonly #claimants = new ServiceClaimants()
  readonly #collisions = new Map<GroupKey, NavstarError>()
  readonly #contested = new Map<GroupKey, readonly NavstarError[]>()
  #nodeIp: Ip | undefined
  #zone: Zone | undefined

  /**
   * @param addresses the plan to keep up with, or the ranges for one without claims
   * @param drainMs how long a service stays at an address that its name had before
   */
  constructor(addresses: AddressBook | readonly VipRange[], drainMs: number = 0) {
    this.#addresses = addresses instanceof AddressBook ? addresses : new AddressBook(addresses)
    this.#former = new FormerAddresses(drainMs)
  }

  /** VIPs that share a DNS name or an address, whose tasks differ, and names without an address. */
  get problems(): readonly NavstarError[] {
    const contested = [...this.#contested.values()].flat()
    const collisions = [...this.#collisions.values(), ...this.#claimants.problems]
    return [...collisions, ...contested, ...this.#addresses.problems]
  }

  /** The addresses of each name with a VIP, e.g. `web.marathon` → [11.0.0.37]. */
  addressesOf(name: string): readonly Ip[] {
    const families = [...this.#addresses.families]
    const addresses = families.map((family) => this.#addresses.addressOf(name, family))
    return addresses.filter((address) => address !== undefined)
  }

  /** When time alone changes what is desired: an address was drained for long enough. */
  get nextDueMs(): number {
    return this.#former.nextDueMs
  }

  /**
   * Applies record changes.
   *
   * @param changes records by key; undefined removes
   */
  update(
    changes: Iterable<readonly [BackendRecordKey, BackendRecord | undefined]>,
    { nodeIp, zone, nowMs = 0, moved = [] }: UpdateContext,
  ): ServiceChanges {
    const touched = new Set<GroupKey>()
    if (nodeIp !== this.#nodeIp) for (const key of this.#groups.keys()) touched.add(key)
    this.#nodeIp = nodeIp
    this.#zone = zone
    for (const name of [...moved, ...this.#former.expire(nowMs)]) touched.add(`named:${name}`)
    for (const [key, record] of changes) this.#put(key, record, touched)
    this.#replan(touched)
    this.#noteFormer(touched, nowMs)
    const before = new Map<ServiceKey, Service | undefined>()
    for (const key of touched) this.#assemble(key, before)
    const services = new Map<ServiceKey, Service | undefined>()
    for (const [key, previous] of before) {
      this.#claimants.noteCollision(key)
      const service = this.#claimants.served(key)
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
      formerServices: new Map(),
    }
    group.records.set(key, record)
    this.#groups.set(group.key, group)
    this.#groupOf.set(key, group)
    touched.add(group.key)
  }

  /** Adds and removes names per family; names that moved are touched too. */
  #replan(touched: Set<GroupKey>): void {
    const changes = [...touched].filter(isNamed).flatMap((key) => {
      const families = new Set(familiesOf(this.#groups.get(key)?.records.values() ?? []))
      return [...this.#addresses.families].map((family) => {
        return { name: nameOf(key), family, isWanted: families.has(family) }
      })
    })
    if (changes.length === 0) return
    for (const name of this.#addresses.want(changes)) touched.add(`named:${name}`)
  }

  /** Remembers what names move away from; whoever needs such an address has it at once. */
  #noteFormer(touched: Set<GroupKey>, nowMs: number): void {
    for (const key of [...touched].filter(isNamed)) {
      const name = nameOf(key)
      for (const address of this.#addressesLeft(key)) this.#former.add(address, name, nowMs)
      for (const address of this.addressesOf(name)) {
        if (!this.#addresses.isNeeded(address)) continue
        const previous = this.#former.delete(address)
        if (previous !== undefined) touched.add(`named:${previous}`)
      }
    }
  }

  /** Where a VIP that has backends is served, but no more by the plan. */
  #addressesLeft(key: GroupKey): readonly Ip[] {
    const group = this.#groups.get(key)
    if (group === undefined || group.records.size === 0) return []
    const served = [...new Set([...group.services.values()].map(({ address }) => address))]
    const planned = this.addressesOf(nameOf(key))
    return served.filter((address) => !planned.includes(address))
  }

  /** @param before receives what was served under each key that changes */
  #assemble(key: GroupKey, before: Map<ServiceKey, Service | undefined>): void {
    const group = this.#groups.get(key)
    if (group === undefined) return
    const claims = claimsOf(group.records.values())
    const owner = ownerOf(claims)
    this.#reportCollision(key, claims, owner)
    const owned = [...group.records.values()].filter((record) => claimantOf(record) === owner)
    this.#reportContested(key, owned)
    const addressOf = (name: string, family: Family) => this.#addresses.addressOf(name, family)
    const place = { nodeIp: this.#nodeIp, zone: this.#zone }
    const services = desiredServices(owned, { addressOf, ...place })
    const formerServices = this.#formerServices(key, owned)
    this.#claimants.replace(key, { old: group.services, new: services }, before)
    const former = { old: group.formerServices, new: formerServices }
    this.#claimants.replace(`was:${nameOf(key)}`, former, before)
    group.services = services
    group.formerServices = formerServices
    if (group.records.size === 0) this.#groups.delete(key)
  }

  /** The services at addresses that the name had before, unless another name needs them now. */
  #formerServices(key: GroupKey, owned: readonly BackendRecord[]): Map<ServiceKey, Service> {
    const services = new Map<ServiceKey, Service>()
    if (!isNamed(key)) return services
    for (const address of this.#former.of(nameOf(key))) {
      const addressOf = (_: string, family: Family) =>
        family === familyOf(address) ? address : undefined
      if (this.#addresses.isNeeded(address)) continue
      const place = { nodeIp: this.#nodeIp, zone: this.#zone }
      for (const [each, service] of desiredServices(owned, { addressOf, ...place })) {
        if (service.name !== undefined) services.set(each, { ...service, isFormer: true })
      }
    }
    return services
  }

  #reportContested(key: GroupKey, owned: readonly BackendRecord[]): void {
    const stated = owned.filter(({ options }) => options !== undefined)
    const problems = stated.length < 2 ? [] : contestedOptions(stated)
    if (problems.length === 0) this.#contested.delete(key)
    else this.#contested.set(key, problems)
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

function familiesOf(records: Iterable<BackendRecord>): Family[] {
  return [...records].map(({ address }) => familyOf(address))
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
