/**
 * Which numbers of slots are in use, and the rules for them: per number and family a chain that
 * draws a slot, and a rule in chain `services` that leads there. Numbers that most services have
 * come first.
 */
import type { NftOperation } from '../../../kernel/nftables.ts'
import type { Family } from '../../../model/ip.ts'
import { dispatchRule, slotChainName } from './rules.ts'
import { SERVICES_CHAIN, slotChain, TABLE } from './ruleset.ts'

/** A number of slots in a family: `4/3`. */
export type SlotClass = `${Family}/${number}`

/** The class of a service with this many slots. */
export function slotClassOf(family: Family, slots: number): SlotClass {
  return `${family}/${slots}`
}

/** Takes a class apart. */
export function parseSlotClass(text: SlotClass): { family: Family; slots: number } {
  const [family, slots] = text.split('/')
  return { family: Number(family) as Family, slots: Number(slots) }
}

/**
 * Unused classes that stay: a backend that goes is often followed by one that comes, and a class
 * costs: the kernel walks the map of all slots when a new chain refers to it.
 */
const SPARE_CLASSES = 16

/** The classes in the kernel and how many services use each. */
export class SlotClasses {
  /** Classes whose chain and rule are there. */
  #present = new Set<SlotClass>()
  readonly #users = new Map<SlotClass, number>()

  /** Starts from what the kernel has and what its services use. */
  reset(present: Iterable<SlotClass>, users: Iterable<SlotClass>): void {
    this.#present = new Set(present)
    this.#users.clear()
    for (const user of users) this.count(user, 1)
  }

  /** A service came into the class (1) or left it (−1). */
  count(slotClass: SlotClass, change: 1 | -1): void {
    const users = (this.#users.get(slotClass) ?? 0) + change
    if (users > 0) this.#users.set(slotClass, users)
    else this.#users.delete(slotClass)
  }

  /** What must be there before services of these classes are put. */
  prepare(needed: Iterable<SlotClass>): NftOperation[] {
    const added = [...new Set(needed)].filter((slotClass) => !this.#present.has(slotClass))
    if (added.length === 0) return []
    for (const slotClass of added) this.#present.add(slotClass)
    return [...added.flatMap(chainOperations), ...this.#rebuild()]
  }

  /** Removes classes that no service uses; the last few of them stay for the next change. */
  prune(): NftOperation[] {
    const idle = [...this.#present].filter((slotClass) => !this.#users.has(slotClass))
    const unused = idle.slice(0, -SPARE_CLASSES)
    if (unused.length === 0) return []
    for (const slotClass of unused) this.#present.delete(slotClass)
    return [...this.#rebuild(), ...unused.flatMap(removalOperations)]
  }

  #rebuild(): NftOperation[] {
    return dispatchOperations(
      [...this.#present].sort((left, right) => {
        const byUse = (this.#users.get(right) ?? 0) - (this.#users.get(left) ?? 0)
        return byUse === 0 ? left.localeCompare(right, 'en', { numeric: true }) : byUse
      }),
    )
  }
}

/** Makes chain `services` lead to exactly these classes, in this order. */
export function dispatchOperations(classes: readonly SlotClass[]): NftOperation[] {
  const object = { table: TABLE, chain: SERVICES_CHAIN }
  const rules = classes.map((slotClass): NftOperation => {
    const { family, slots } = parseSlotClass(slotClass)
    return { kind: 'addRule', ...object, expressions: dispatchRule(family, slots) }
  })
  return [{ kind: 'flushChain', ...object }, ...rules]
}

function chainOperations(slotClass: SlotClass): NftOperation[] {
  const { family, slots } = parseSlotClass(slotClass)
  const { name: chain, rules } = slotChain(family, slots)
  const object = { table: TABLE, chain }
  return [
    { kind: 'addChain', ...object },
    { kind: 'flushChain', ...object },
    ...rules.map((expressions): NftOperation => ({ kind: 'addRule', ...object, expressions })),
  ]
}

function removalOperations(slotClass: SlotClass): NftOperation[] {
  const { family, slots } = parseSlotClass(slotClass)
  const object = { table: TABLE, chain: slotChainName(family, slots) }
  return [
    { kind: 'flushChain', ...object },
    { kind: 'deleteChain', ...object },
  ]
}
