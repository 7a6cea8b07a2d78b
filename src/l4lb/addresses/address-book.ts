/** The addresses of all named VIPs, of both families: one plan, fed by claims and by names. */
import { NavstarError } from '../../base/error.ts'
import { type Family, familyOf, type Ip } from '../../model/ip.ts'
import type { NodeId } from '../../model/node-id.ts'
import type { AddressClaim, ClaimSubject } from './address-claim.ts'
import { AddressPlanner } from './address-plan.ts'
import type { VipRange } from './address-space.ts'

/** A node's claim that came, changed or went. */
export interface ClaimChange extends ClaimSubject {
  readonly node: NodeId
  readonly claim: AddressClaim | undefined
}

/** A name that has backends of a family from now on, or none. */
export interface NameChange extends ClaimSubject {
  readonly isWanted: boolean
}

/** Called with names whose address changed; `names`: because of names that came or went. */
export type MovedListener = (names: ReadonlySet<string>, cause: 'claims' | 'names') => void

/** Keeps the plan; every node that knows the same claims and names has the same. */
export class AddressBook {
  readonly #planners: ReadonlyMap<Family, AddressPlanner>
  readonly #listeners = new Set<MovedListener>()

  /** @param ranges at most one per family; a family without one has no named VIPs */
  constructor(ranges: readonly VipRange[]) {
    this.#planners = new Map(
      ranges.map((range) => [familyOf(range.first), new AddressPlanner(range)]),
    )
  }

  /** The families that have a range. */
  get families(): Iterable<Family> {
    return this.#planners.keys()
  }

  /** Names without an address. */
  get problems(): readonly NavstarError[] {
    const unplaced = [...this.#planners.values()].flatMap((planner) => planner.unplaced)
    return unplaced.map(
      (name) => new NavstarError('ADDRESS_RANGE_FULL', { attempt: `place ${name}` }),
    )
  }

  /** The address of a name in a family; undefined while it has none. */
  addressOf(name: string, family: Family): Ip | undefined {
    return this.#planners.get(family)?.addresses.get(name)
  }

  /** The claim that counts for a name. @param except a node whose claim is left out */
  claimOf({ name, family }: ClaimSubject, except?: NodeId): AddressClaim | undefined {
    return this.#planners.get(family)?.claimOf(name, except)
  }

  /** Whether another name claims the address that this one claims. */
  isContested({ name, family }: ClaimSubject): boolean {
    return this.#planners.get(family)?.isContested(name) ?? false
  }

  /** Whether the plan gives the address to a name that has backends. */
  isNeeded(address: Ip): boolean {
    return this.#planners.get(familyOf(address))?.isNeeded(address) ?? false
  }

  /** Applies changed claims. @returns names whose address changed */
  claim(changes: Iterable<ClaimChange>): ReadonlySet<string> {
    for (const { family, name, node, claim } of changes) {
      this.#planners.get(family)?.claim(name, node, claim)
    }
    return this.#settle('claims')
  }

  /** Applies changed names. @returns names whose address changed */
  want(changes: Iterable<NameChange>): ReadonlySet<string> {
    for (const { family, name, isWanted } of changes) {
      this.#planners.get(family)?.want(name, isWanted)
    }
    return this.#settle('names')
  }

  /** Listens to moves from now on. @returns a function that ends it */
  onMoved(listener: MovedListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #settle(cause: 'claims' | 'names'): ReadonlySet<string> {
    const planners = [...this.#planners.values()]
    const moved = new Set(planners.flatMap((planner) => planner.settle()))
    if (moved.size > 0) for (const listener of this.#listeners) listener(moved, cause)
    return moved
  }
}
