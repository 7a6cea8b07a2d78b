/** One table of the nf_tables in memory: what each operation does to it, or why it is refused. */
import type { ChainHook, Expression, NftOperation, NftTable, SetSpec } from '../nftables.ts'

/** Symbols of the error numbers that the kernel answers with here. */
export type Refusal = keyof typeof ERRNOS

/** **Source:** asm-generic/errno-base.h, asm-generic/errno.h */
export const ERRNOS = {
  ENOENT: 2,
  EBUSY: 16,
  EEXIST: 17,
  EINVAL: 22,
  ENFILE: 23,
  EOPNOTSUPP: 95,
} as const

type Rule = NftTable['rules'][number]

interface FakeChain {
  readonly hook?: ChainHook
  readonly rules: Rule[]
}

interface FakeSet {
  readonly spec: SetSpec
  /** Values in hexadecimal by key in hexadecimal; of a verdict map the chains. */
  readonly elements: Map<string, string>
}

/** An operation on what is in a table. */
export type Step = Exclude<NftOperation, { kind: 'addTable' | 'deleteTable' }>

/** A table with everything in it. */
export class FakeNftTable {
  readonly #chains = new Map<string, FakeChain>()
  readonly #sets = new Map<string, FakeSet>()
  readonly #limits: ReadonlyMap<string, number>

  /** @param limits the most elements of a set, by its name; others have no limit */
  constructor(limits: ReadonlyMap<string, number>) {
    this.#limits = limits
  }

  /** A copy that changes on its own. */
  clone(): FakeNftTable {
    const copy = new FakeNftTable(this.#limits)
    for (const [name, { rules, ...chain }] of this.#chains) {
      copy.#chains.set(name, { ...chain, rules: [...rules] })
    }
    for (const [name, { spec, elements }] of this.#sets) {
      copy.#sets.set(name, { spec, elements: new Map(elements) })
    }
    return copy
  }

  /** The table as it is listed. */
  list(): NftTable {
    return {
      chains: [...this.#chains].map(([name, { hook }]) => ({ name, ...(hook && { hook }) })),
      rules: [...this.#chains.values()].flatMap(({ rules }) => rules),
      sets: [...this.#sets].map(([name, { spec }]) => ({ name, ...spec })),
    }
  }

  /** The set with its elements. */
  set(name: string): FakeSet | undefined {
    return this.#sets.get(name)
  }

  /** Does one step. @returns why it is refused; then nothing was done */
  run(step: Step): Refusal | undefined {
    switch (step.kind) {
      case 'addChain':
        return this.#addChain(step.chain, step.hook)
      case 'deleteChain':
        return this.#deleteChain(step.chain)
      case 'flushChain':
        return this.#flushChain(step.chain)
      case 'addRule':
        return this.#addRule(step)
      case 'addSet':
        return this.#addSet(step.set, step.setSpec)
      case 'deleteSet':
        return this.#deleteSet(step.set)
      case 'flushSet':
        return this.#flushSet(step.set)
      case 'addElements':
      case 'deleteElements':
        return this.#changeElements(step)
      default:
        return step satisfies never
    }
  }

  #addChain(name: string, hook: ChainHook | undefined): Refusal | undefined {
    const found = this.#chains.get(name)
    if (found === undefined) {
      this.#chains.set(name, { rules: [], ...(hook && { hook }) })
      return undefined
    }
    if (hook === undefined) return undefined
    const isSameHook =
      found.hook?.type === hook.type &&
      found.hook.hook === hook.hook &&
      found.hook.priority === hook.priority
    if (!isSameHook) return 'EOPNOTSUPP'
    this.#chains.set(name, { rules: found.rules, hook })
    return undefined
  }

  /** Its rules go with it. */
  #deleteChain(name: string): Refusal | undefined {
    if (!this.#chains.has(name)) return 'ENOENT'
    if (this.#isTarget(name)) return 'EBUSY'
    this.#chains.delete(name)
    return undefined
  }

  #flushChain(name: string): Refusal | undefined {
    const chain = this.#chains.get(name)
    if (chain === undefined) return 'ENOENT'
    chain.rules.length = 0
    return undefined
  }

  #addRule({ chain, expressions, comment }: Extract<Step, { kind: 'addRule' }>) {
    const rules = this.#chains.get(chain)?.rules
    if (rules === undefined) return 'ENOENT'
    for (const expression of expressions) {
      const refusal = this.#refusalOf(expression)
      if (refusal !== undefined) return refusal
    }
    rules.push({ chain, expressions, ...(comment !== undefined && { comment }) })
    return undefined
  }

  #refusalOf(expression: Expression): Refusal | undefined {
    if (expression.expr === 'lookup') return this.#sets.has(expression.set) ? undefined : 'ENOENT'
    return expression.expr === 'verdict' && expression.chain !== undefined
      ? this.#refusalOfTarget(expression.chain)
      : undefined
  }

  #refusalOfTarget(chain: string): Refusal | undefined {
    const found = this.#chains.get(chain)
    if (found === undefined) return 'ENOENT'
    return found.hook === undefined ? undefined : 'EOPNOTSUPP'
  }

  #addSet(name: string, setSpec: SetSpec): Refusal | undefined {
    const spec = wholeSpec(setSpec)
    const found = this.#sets.get(name)
    if (found !== undefined) return isSameSpec(found.spec, spec) ? undefined : 'EEXIST'
    this.#sets.set(name, { spec, elements: new Map() })
    return undefined
  }

  #deleteSet(name: string): Refusal | undefined {
    if (!this.#sets.has(name)) return 'ENOENT'
    if (this.#expressions().some((item) => item.expr === 'lookup' && item.set === name)) {
      return 'EBUSY'
    }
    this.#sets.delete(name)
    return undefined
  }

  #flushSet(name: string): Refusal | undefined {
    const found = this.#sets.get(name)
    found?.elements.clear()
    return found === undefined ? 'ENOENT' : undefined
  }

  #changeElements(step: ElementStep): Refusal | undefined {
    const found = this.#sets.get(step.set)
    if (found === undefined) return 'ENOENT'
    const isAdding = step.kind === 'addElements'
    if (!isFitting(found.spec, step, isAdding)) return 'EINVAL'
    const elements = new Map(found.elements)
    const values = isAdding ? valuesOf(step) : []
    for (const [index, key] of hexParts(step.keys, found.spec.keyLength).entries()) {
      const refusal = isAdding
        ? this.#addElement(step.set, elements, { key, value: values[index] ?? '' })
        : deleteElement(elements, key)
      if (refusal !== undefined) return refusal
    }
    this.#sets.set(step.set, { spec: found.spec, elements })
    return undefined
  }

  #addElement(
    set: string,
    elements: Map<string, string>,
    { key, value }: { key: string; value: string },
  ): Refusal | undefined {
    const isVerdictMap = this.#sets.get(set)?.spec.isVerdictMap === true
    const refusal = isVerdictMap ? this.#refusalOfTarget(value) : undefined
    if (refusal !== undefined) return refusal
    const held = elements.get(key)
    if (held !== undefined) return held === value ? undefined : 'EEXIST'
    if (elements.size >= (this.#limits.get(set) ?? Number.POSITIVE_INFINITY)) return 'ENFILE'
    elements.set(key, value)
    return undefined
  }

  #isTarget(chain: string): boolean {
    const isInRule = this.#expressions().some(
      (item) => item.expr === 'verdict' && item.chain === chain,
    )
    const maps = [...this.#sets.values()].filter(({ spec }) => spec.isVerdictMap)
    return isInRule || maps.some(({ elements }) => [...elements.values()].includes(chain))
  }

  #expressions(): Expression[] {
    return this.list().rules.flatMap(({ expressions }) => expressions)
  }
}

type ElementStep = Extract<Step, { kind: 'addElements' | 'deleteElements' }>

function deleteElement(elements: Map<string, string>, key: string): Refusal | undefined {
  return elements.delete(key) ? undefined : 'ENOENT'
}

/** Lengths that are not those of the set are refused. */
function isFitting(spec: SetSpec, { setSpec, values, chains }: ElementStep, isAdding: boolean) {
  if (setSpec.keyLength !== spec.keyLength) return false
  if (!isAdding) return true
  const hasChains = chains !== undefined
  return (
    hasChains === Boolean(spec.isVerdictMap) &&
    (values === undefined ? 0 : (setSpec.valueLength ?? 0)) === (spec.valueLength ?? 0)
  )
}

/** An element's value in hexadecimal, its chain, or nothing; one for each key. */
function valuesOf({ chains, values, setSpec }: ElementStep): readonly string[] {
  return chains ?? (values === undefined ? [] : hexParts(values, setSpec.valueLength ?? 0))
}

function wholeSpec(spec: SetSpec): SetSpec {
  return { ...spec, isMap: Boolean(spec.isMap), isVerdictMap: Boolean(spec.isVerdictMap) }
}

function isSameSpec(left: SetSpec, right: SetSpec): boolean {
  const fields = [
    'keyLength',
    'keyType',
    'valueLength',
    'valueType',
    'isMap',
    'isVerdictMap',
  ] as const
  return fields.every((field) => left[field] === right[field])
}

function hexParts(packed: Uint8Array, lengthBytes: number): string[] {
  return Array.from({ length: packed.length / lengthBytes }, (_, index) =>
    Buffer.from(packed.subarray(index * lengthBytes, (index + 1) * lengthBytes)).toString('hex'),
  )
}
