/** The table without its elements: what of it is missing or wrong, and how to mend it. */
import type { Expression, NftOperation, NftTable, SetSpec } from '../../../kernel/nftables.ts'
import type { Cidr } from '../../../model/cidr.ts'
import { canonical } from '../canonical.ts'
import { parseSlotDraw } from './draw.ts'
import { dispatchRule } from './rules.ts'
import {
  type Chain,
  fixedChains,
  SERVICES_CHAIN,
  setDefinitions,
  slotChain,
  TABLE,
} from './ruleset.ts'
import { dispatchOperations, type SlotClass, slotClassOf } from './slot-classes.ts'

/** What {@link inspect} found. */
export interface Inspection {
  readonly defects: readonly string[]
  /** One transaction that mends them. */
  readonly repairs: readonly NftOperation[]
  /** Classes of slots whose chain and rule in `services` are right. */
  readonly classes: ReadonlySet<SlotClass>
  /** The sets that are there and stay; others will be made anew and hold nothing. */
  readonly sets: ReadonlySet<string>
}

const SLOT_CHAIN = /^slots([46])-(.+)$/

/**
 * Compares the kernel's table with the rule set.
 *
 * A set of another shape cannot be mended in place: then the whole table is made anew.
 */
export function inspect(table: NftTable | undefined, ranges: readonly Cidr[]): Inspection {
  const reshaped = setDefinitions().filter(({ name, spec }) => {
    const found = table?.sets.find((set) => set.name === name)
    return found !== undefined && !isSameShape(found, spec)
  })
  if (table === undefined || reshaped.length > 0) return renewal(table, ranges)
  const defects: string[] = []
  const repairs: NftOperation[] = []
  const hasServices = table.chains.some(({ name }) => name === SERVICES_CHAIN)
  if (!hasServices) repairs.push({ kind: 'addChain', table: TABLE, chain: SERVICES_CHAIN })
  for (const { name, spec } of setDefinitions()) {
    if (table.sets.some((set) => set.name === name)) continue
    defects.push(`set ${name} is missing`)
    repairs.push({ kind: 'addSet', table: TABLE, set: name, setSpec: spec })
  }
  for (const chain of fixedChains(ranges)) {
    const defect = chainDefect(table, chain)
    if (defect === undefined) continue
    defects.push(defect)
    repairs.push(...mendChain(table, chain))
  }
  const classes = intactClasses(table)
  if (!hasOnlyDispatch(table, classes)) {
    defects.push(`rules of chain ${SERVICES_CHAIN} differ`)
    repairs.push(...dispatchOperations([...classes]))
  }
  return { defects, repairs, classes, sets: new Set(table.sets.map(({ name }) => name)) }
}

/** Makes the whole table anew, whatever is there. */
export function renewal(table: NftTable | undefined, ranges: readonly Cidr[]): Inspection {
  const remove: NftOperation[] = table ? [{ kind: 'deleteTable', table: TABLE }] : []
  const sets = setDefinitions().map(
    ({ name, spec }): NftOperation => ({ kind: 'addSet', table: TABLE, set: name, setSpec: spec }),
  )
  const chains = fixedChains(ranges)
  return {
    defects: [table ? 'the table cannot be mended' : 'the table is missing'],
    repairs: [
      ...remove,
      { kind: 'addTable', table: TABLE },
      ...sets,
      { kind: 'addChain', table: TABLE, chain: SERVICES_CHAIN },
      ...chains.map(addChain),
      ...chains.flatMap(addRules),
    ],
    classes: new Set(),
    sets: new Set(),
  }
}

function chainDefect(table: NftTable, chain: Chain): string | undefined {
  const found = table.chains.find(({ name }) => name === chain.name)
  if (found === undefined) return `chain ${chain.name} is missing`
  if (canonical(found.hook) !== canonical(chain.hook)) return `chain ${chain.name} hangs elsewhere`
  return hasRules(table, chain) ? undefined : `rules of chain ${chain.name} differ`
}

function hasRules(table: NftTable, chain: Chain): boolean {
  const found = table.rules.filter((rule) => rule.chain === chain.name)
  return (
    found.length === chain.rules.length &&
    chain.rules.every((rule, index) => isSameRule(found[index]?.expressions ?? [], rule))
  )
}

function isSameRule(left: readonly Expression[], right: readonly Expression[]): boolean {
  return canonical(left) === canonical(right)
}

function mendChain(table: NftTable, chain: Chain): NftOperation[] {
  const found = table.chains.find(({ name }) => name === chain.name)
  const name = { table: TABLE, chain: chain.name }
  const hangsElsewhere = found !== undefined && canonical(found.hook) !== canonical(chain.hook)
  const clear: NftOperation[] = found === undefined ? [] : [{ kind: 'flushChain', ...name }]
  if (hangsElsewhere) clear.push({ kind: 'deleteChain', ...name })
  const add = found === undefined || hangsElsewhere ? [addChain(chain)] : []
  return [...clear, ...add, ...addRules(chain)]
}

function addChain({ name, hook }: Chain): NftOperation {
  return { kind: 'addChain', table: TABLE, chain: name, ...(hook && { hook }) }
}

function addRules({ name, rules }: Chain): NftOperation[] {
  return rules.map((expressions) => ({ kind: 'addRule', table: TABLE, chain: name, expressions }))
}

/** Classes with an intact chain and exactly one right rule that leads there. */
function intactClasses(table: NftTable): Set<SlotClass> {
  const dispatch = table.rules.filter(({ chain }) => chain === SERVICES_CHAIN)
  const intact = table.chains.flatMap(({ name }): SlotClass[] => {
    const [, version, text = ''] = SLOT_CHAIN.exec(name) ?? []
    const draw = parseSlotDraw(text)
    if (draw === undefined) return []
    const family = version === '4' ? 4 : 6
    const slotClass = slotClassOf(family, draw)
    const rule = dispatchRule(family, draw)
    const leads = dispatch.filter(({ expressions }) => isSameRule(expressions, rule)).length === 1
    return leads && hasRules(table, slotChain(family, draw)) ? [slotClass] : []
  })
  return new Set(intact)
}

function hasOnlyDispatch(table: NftTable, classes: ReadonlySet<SlotClass>): boolean {
  const count = table.rules.filter(({ chain }) => chain === SERVICES_CHAIN).length
  return count === classes.size && table.chains.some(({ name }) => name === SERVICES_CHAIN)
}

function isSameShape(found: SetSpec, spec: SetSpec): boolean {
  return (
    found.keyLength === spec.keyLength &&
    (found.valueLength ?? 0) === (spec.valueLength ?? 0) &&
    Boolean(found.isVerdictMap) === Boolean(spec.isVerdictMap) &&
    Boolean(found.isMap) === Boolean(spec.isMap)
  )
}
