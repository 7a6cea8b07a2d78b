/**
 * Which address a named VIP has. The first candidate is DC/OS' own (phash2 for IPv4, SHA-1 for
 * IPv6); a taken candidate gives way to the next address, wrapping at the end of the range.
 *
 * DC/OS let the order of arrival decide who keeps a contested address, so nodes disagreed. Here the
 * plan is a function of the claims that nodes made, of the names and of the range:
 *
 * 1. of a name's claims the earliest counts (by time, then node id);
 * 2. of the names that claim one address the earliest holds it (by time, then name);
 * 3. the others, in the same order, and then names without a claim, in the order of their text,
 *    take the first free address from their first candidate on.
 *
 * Who claims the address that the plan gave it, with the time of its earlier claim, moves nobody: it
 * was free for all that come before, and taken for all that come after.
 *
 * **Source:** dcos-net `apps/dcos_l4lb/src/dcos_l4lb_lashup_vip_listener.erl`
 */
import type { Ip } from '../../model/ip.ts'
import type { NodeId } from '../../model/node-id.ts'
import type { AddressClaim } from './address-claim.ts'
import {
  type AddressSpace,
  addressAt,
  addressSpaceOf,
  firstCandidate,
  offsetOf,
  type VipRange,
} from './address-space.ts'
import { Bids } from './bids.ts'
import { Placement } from './placement.ts'

export type { VipRange } from './address-space.ts'

/** A plan: names with their addresses, and those for which the range had none. */
export interface AddressPlan {
  readonly addresses: ReadonlyMap<string, Ip>
  readonly unplaced: readonly string[]
}

/** A name that has no address by claim. */
interface Floating {
  readonly candidate: bigint
  /** Where it was placed; undefined: not yet, or the range is full. */
  offset: bigint | undefined
}

/**
 * Gives each name an address of the range. The same set of names gives the same plan.
 *
 * @param names mangled names, e.g. `web.marathon`; duplicates count once
 */
export function planAddresses(names: Iterable<string>, range: VipRange): AddressPlan {
  const planner = new AddressPlanner(range)
  for (const name of names) planner.want(name, true)
  planner.settle()
  return { addresses: planner.addresses, unplaced: planner.unplaced }
}

/**
 * Keeps the plan of changing claims and names. A change costs O(1) unless names contend, and then
 * O(names that are not at their first candidate).
 *
 * Names without an address by claim float: who comes earlier in the order evicts who comes later,
 * and a freed address goes to the earliest of those who passed over it. That ends where placing all
 * names in their order does (Amble and Knuth, "Ordered hash tables", 1974).
 */
export class AddressPlanner {
  readonly #space: AddressSpace
  readonly #bids = new Bids()
  readonly #wanted = new Set<string>()
  readonly #placement: Placement
  readonly #floating = new Map<string, Floating>()
  /** Floating names that are not at their first candidate: they may depend on others. */
  readonly #displaced = new Set<string>()
  /** Floating names that wait for a place. */
  readonly #waiting = new Set<string>()
  /** Names that claim an address which another holds. */
  readonly #losers = new Map<bigint, Set<string>>()
  /** Addresses that were freed while some names were displaced. */
  #freed: bigint[] = []

  constructor(range: VipRange) {
    this.#space = addressSpaceOf(range)
    this.#placement = new Placement(this.#space)
  }

  get addresses(): ReadonlyMap<string, Ip> {
    return this.#placement.addresses
  }

  /** Names that found no free address. */
  get unplaced(): readonly string[] {
    return [...this.#displaced].filter((name) => !this.addresses.has(name))
  }

  /** Adds a name. @returns names whose address is another than before */
  add(name: string): readonly string[] {
    this.want(name, true)
    return this.settle()
  }

  /** Removes a name. @returns names whose address is another than before */
  remove(name: string): readonly string[] {
    this.want(name, false)
    return this.settle()
  }

  /** The name has backends, or none; counts with the next {@link AddressPlanner.settle}. */
  want(name: string, isWanted: boolean): void {
    if (isWanted) this.#wanted.add(name)
    else this.#wanted.delete(name)
    if (this.#bids.of(name) !== undefined) return
    if (isWanted) this.#float(name)
    else this.#sink(name)
  }

  /**
   * A node claims an address for the name, or no more; counts with the next
   * {@link AddressPlanner.settle}. An address outside of the range counts as no claim.
   */
  claim(name: string, node: NodeId, claim: AddressClaim | undefined): void {
    const offset = claim && offsetOf(claim.address, this.#space)
    const before = this.#bids.of(name)
    const isHolder = before !== undefined && this.#holds(name, before.offset)
    this.#bids.set(
      name,
      node,
      claim && offset !== undefined ? { node, offset, claimedAtMs: claim.claimedAtMs } : undefined,
    )
    const after = this.#bids.of(name)
    if (before === after) return
    const isPlain = before?.offset === after?.offset && isHolder
    if (isPlain && after !== undefined && !this.#losers.has(after.offset)) return
    if (before !== undefined) this.#leave(name, before.offset, isHolder)
    this.#enter(name)
  }

  /** Whether a name with backends has this address. */
  isNeeded(address: Ip): boolean {
    const offset = offsetOf(address, this.#space)
    const name = offset === undefined ? undefined : this.#placement.occupantOf(offset)
    return name !== undefined && this.#wanted.has(name)
  }

  /** The claim that counts for a name. @param except a node whose claim is left out */
  claimOf(name: string, except?: NodeId): AddressClaim | undefined {
    const bid = this.#bids.of(name, except)
    return bid && { address: addressAt(bid.offset, this.#space), claimedAtMs: bid.claimedAtMs }
  }

  /** Whether another name claims the address that this one claims. */
  isContested(name: string): boolean {
    const bid = this.#bids.of(name)
    return bid !== undefined && this.#losers.has(bid.offset)
  }

  /**
   * Places what waits for a place.
   *
   * @returns names whose address is another than at the last call
   */
  settle(): readonly string[] {
    for (const offset of this.#freed) this.#refill(offset)
    this.#freed = []
    for (const name of this.#waiting) {
      this.#waiting.delete(name)
      this.#place(name)
    }
    return this.#placement.takeMoved()
  }

  /** Gives up a claim; the earliest of those who lost against it takes over. */
  #leave(name: string, offset: bigint, isHolder: boolean): void {
    const losers = this.#losers.get(offset)
    if (!isHolder) {
      losers?.delete(name)
      this.#sink(name)
    } else {
      this.#clear(name, offset)
      const [heir] = [...(losers ?? [])].sort((left, right) => this.#bids.compare(left, right))
      if (heir !== undefined) {
        losers?.delete(heir)
        this.#hold(heir, offset)
      }
    }
    if (losers?.size === 0) this.#losers.delete(offset)
  }

  /** Takes what the name claims, or shares what is left. */
  #enter(name: string): void {
    const bid = this.#bids.of(name)
    if (bid === undefined) {
      if (this.#wanted.has(name)) this.#float(name)
      else this.#sink(name)
      return
    }
    const rival = this.#placement.occupantOf(bid.offset)
    if (rival === undefined || rival === name || this.#floating.has(rival)) {
      this.#hold(name, bid.offset)
    } else if (this.#bids.compare(name, rival) < 0) {
      this.#clear(rival, bid.offset)
      this.#lose(rival, bid.offset)
      this.#hold(name, bid.offset)
    } else this.#lose(name, bid.offset)
  }

  #lose(name: string, offset: bigint): void {
    this.#losers.set(offset, (this.#losers.get(offset) ?? new Set()).add(name))
    this.#sink(name) // its place in the order may be another now
    this.#float(name)
  }

  #holds(name: string, offset: bigint): boolean {
    return this.#placement.occupantOf(offset) === name && !this.#floating.has(name)
  }

  /** Gives the name an address by claim; whoever floats there has to go. */
  #hold(name: string, offset: bigint): void {
    const rival = this.#placement.occupantOf(offset)
    if (rival === name) this.#stopFloating(name)
    else {
      this.#sink(name)
      if (rival !== undefined) {
        this.#sink(rival)
        this.#float(rival)
      }
      this.#placement.put(name, offset)
    }
  }

  #float(name: string): void {
    if (this.#floating.has(name)) return
    this.#floating.set(name, { candidate: firstCandidate(name, this.#space), offset: undefined })
    this.#waiting.add(name)
  }

  /** Takes away a name that floats, with its place. */
  #sink(name: string): void {
    const offset = this.#floating.get(name)?.offset
    this.#stopFloating(name)
    if (offset !== undefined) this.#clear(name, offset)
  }

  #stopFloating(name: string): void {
    this.#floating.delete(name)
    this.#displaced.delete(name)
    this.#waiting.delete(name)
  }

  /** Takes the first address that is free, or that someone later in the order has. */
  #place(name: string): void {
    const floating = this.#floating.get(name)
    if (floating === undefined) return
    const { candidate } = floating
    for (let probe = 0n; probe < this.#space.size; probe++) {
      const offset = (candidate + probe) % this.#space.size
      const rival = this.#placement.occupantOf(offset)
      if (rival !== undefined) {
        if (!this.#floating.has(rival) || this.#bids.compare(rival, name) < 0) continue
        this.#stopFloating(rival)
        this.#placement.remove(rival, offset)
        this.#float(rival)
      }
      this.#placement.put(name, offset)
      floating.offset = offset
      if (probe > 0n) this.#displaced.add(name)
      return
    }
    this.#displaced.add(name)
  }

  /** Gives a freed address to the first of those who passed over it. */
  #refill(freed: bigint): void {
    if (this.#placement.occupantOf(freed) !== undefined) return
    const { size } = this.#space
    const wanting = [...this.#displaced].filter((name) => {
      const { candidate, offset } = this.#floating.get(name) ?? { candidate: 0n, offset: 0n }
      const distance = (freed - candidate + size) % size
      return offset === undefined || distance < (offset - candidate + size) % size
    })
    const [name] = wanting.sort((left, right) => this.#bids.compare(left, right))
    const floating = name === undefined ? undefined : this.#floating.get(name)
    if (name === undefined || floating === undefined) return
    if (floating.offset !== undefined) this.#clear(name, floating.offset)
    this.#placement.put(name, freed)
    floating.offset = freed
    if (freed === floating.candidate) this.#displaced.delete(name)
  }

  /** Frees an address; displaced names may want it. */
  #clear(name: string, offset: bigint): void {
    this.#placement.remove(name, offset)
    if (this.#displaced.size > 0) this.#freed.push(offset)
  }
}
