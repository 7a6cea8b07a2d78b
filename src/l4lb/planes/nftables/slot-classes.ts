/**
 * Which numbers of slots and ways to draw one are in use, and the rules for them: per pair and family
 * a chain that draws a slot, and a rule in chain `services` that leads there. Those that most services
 * have come first.
 */
import type { NftOperation } from '../../../kernel/nftables.ts'
import type { Family } from '../../../model/ip.ts'
import { formatSlotDraw, parseSlotDraw, type SlotDraw } from './draw.ts'
import { dispatchRule, slotChainName } from './rules.ts'
import { SERVICES_CHAIN, slotChain, TABLE } from './ruleset.ts'

/** A number of slots and how one is drawn, in a family: `4/3`, `6/64-client`. */
export type SlotClass = `${Family}/${string}`

/** The class of a service whose slots are drawn so. */
export function slotClassOf(family: Family, draw: SlotDraw): SlotClass {
  return `${family}/${formatSlotDraw(draw)}`
}

/** Takes a class apart. */
export function parseSlotClass(text: SlotClass): { family: Family; draw: SlotDraw } {
  const draw = parseSlotDraw(text.slice(2))
  if (draw === undefined) throw new Error(`${text} is no class of slots`)
  return { family: text.startsWith('4') ? 4 : 6, draw }
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
    const { family, draw } = parseSlotClass(slotClass)
    return { kind: 'addRule', ...object, expressions: dispatchRule(family, draw) }
  })
  return [{ kind: 'flushChain', ...object }, ...rules]
}

function chainOperations(slotClass: SlotClass): NftOperation[] {
  const { family, draw } = parseSlotClass(slotClass)
  const { name: chain, rules } = slotChain(family, draw)
  const object = { table: TABLE, chain }
  return [
    { kind: 'addChain', ...object },
    { kind: 'flushChain', ...object },
    ...rules.map((expressions): NftOperation => ({ kind: 'addRule', ...object, expressions })),
  ]
}

function removalOperations(slotClass: SlotClass): NftOperation[] {
  const { family, draw } = parseSlotClass(slotClass)
  const object = { table: TABLE, chain: slotChainName(family, draw) }
  return [
    { kind: 'flushChain', ...object },
    { kind: 'deleteChain', ...object },
  ]
}
