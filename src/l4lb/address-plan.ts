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
import type { Ip } from '../model/ip.ts'
import type { NodeId } from '../model/node-id.ts'
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
 * Keeps the plan of changing claims and names. A change costs O(1) unless names contend; then the
 * names without an address by claim are placed anew.
 */
export class AddressPlanner {
  readonly #space: AddressSpace
  readonly #bids = new Bids()
  readonly #wanted = new Set<string>()
  readonly #occupants = new Map<bigint, string>()
  readonly #addresses = new Map<string, Ip>()
  readonly #floating = new Map<string, Floating>()
  /** Floating names that are not at their first candidate: they may depend on others. */
  readonly #displaced = new Set<string>()
  /** Floating names that wait for a place. */
  readonly #waiting = new Set<string>()
  /** Names that claim an address which another holds. */
  readonly #losers = new Map<bigint, Set<string>>()
  /** What names had before the changes since the last {@link AddressPlanner.settle}. */
  readonly #before = new Map<string, Ip | undefined>()
  #mustRefloat = false

  constructor(range: VipRange) {
    this.#space = addressSpaceOf(range)
  }

  get addresses(): ReadonlyMap<string, Ip> {
    return this.#addresses
  }

  /** Names that found no free address. */
  get unplaced(): readonly string[] {
    return [...this.#displaced].filter((name) => !this.#addresses.has(name))
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
    const name = offset === undefined ? undefined : this.#occupants.get(offset)
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
   * Places what waits for a place. A free first candidate is final: whoever passes over it would
   * have taken it.
   *
   * @returns names whose address is another than at the last call
   */
  settle(): readonly string[] {
    for (const name of this.#waiting) {
      const floating = this.#floating.get(name)
      if (floating === undefined || this.#mustRefloat) continue
      if (this.#occupants.has(floating.candidate)) this.#mustRefloat = true
      else this.#place(name, floating)
    }
    if (this.#mustRefloat) this.#refloat()
    this.#mustRefloat = false
    this.#waiting.clear()
    const moved = [...this.#before].filter(([name, old]) => this.#addresses.get(name) !== old)
    this.#before.clear()
    return moved.map(([name]) => name)
  }

  /** Gives up a claim; the earliest of those who lost against it takes over. */
  #leave(name: string, offset: bigint, isHolder: boolean): void {
    const losers = this.#losers.get(offset)
    if (!isHolder) {
      losers?.delete(name)
      this.#mustRefloat = true
    } else {
      this.#clear(name, offset)
      const [heir] = this.#bids.order(losers ?? [])
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
    const rival = this.#occupants.get(bid.offset)
    if (rival === undefined || rival === name || this.#floating.has(rival)) {
      this.#hold(name, bid.offset)
    } else if (this.#bids.order([name, rival])[0] === name) {
      this.#clear(rival, bid.offset)
      this.#lose(rival, bid.offset)
      this.#hold(name, bid.offset)
    } else this.#lose(name, bid.offset)
  }

  #lose(name: string, offset: bigint): void {
    this.#losers.set(offset, (this.#losers.get(offset) ?? new Set()).add(name))
    this.#float(name)
    this.#mustRefloat = true
  }

  #holds(name: string, offset: bigint): boolean {
    return this.#occupants.get(offset) === name && !this.#floating.has(name)
  }

  /** Gives the name an address by claim; whoever floats there has to go. */
  #hold(name: string, offset: bigint): void {
    const rival = this.#occupants.get(offset)
    if (rival === name) this.#stopFloating(name)
    else {
      this.#sink(name)
      if (rival !== undefined) {
        this.#sink(rival)
        this.#float(rival)
      }
      this.#occupy(name, offset)
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

  /** Places all floating names anew, in their order. */
  #refloat(): void {
    for (const { offset } of this.#floating.values()) {
      if (offset !== undefined) this.#occupants.delete(offset)
    }
    this.#displaced.clear()
    for (const name of this.#bids.order(this.#floating.keys())) {
      const floating = this.#floating.get(name)
      if (floating !== undefined) this.#place(name, floating)
    }
  }

  #place(name: string, floating: Floating): void {
    const before = floating.offset
    const offset = this.#firstFree(floating.candidate)
    floating.offset = offset
    if (offset !== floating.candidate) this.#displaced.add(name)
    if (offset === undefined) {
      if (before !== undefined) this.#note(name)
      this.#addresses.delete(name)
    } else if (offset === before) this.#occupants.set(offset, name)
    else this.#occupy(name, offset)
  }

  #firstFree(candidate: bigint): bigint | undefined {
    if (BigInt(this.#occupants.size) >= this.#space.size) return undefined
    let offset = candidate
    while (this.#occupants.has(offset)) offset = (offset + 1n) % this.#space.size
    return offset
  }

  #occupy(name: string, offset: bigint): void {
    this.#note(name)
    this.#occupants.set(offset, name)
    this.#addresses.set(name, addressAt(offset, this.#space))
  }

  /** Frees an address; displaced names may want it. */
  #clear(name: string, offset: bigint): void {
    this.#note(name)
    this.#occupants.delete(offset)
    this.#addresses.delete(name)
    if (this.#displaced.size > 0) this.#mustRefloat = true
  }

  #note(name: string): void {
    if (!this.#before.has(name)) this.#before.set(name, this.#addresses.get(name))
  }
}
