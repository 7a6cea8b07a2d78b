/** Short words for the steps of a transaction on the contract's table. */
import type { ChainHook, Expression, NftOperation, SetSpec } from '../../src/kernel/nftables.ts'

/** The table that the suite works on. */
export const TABLE = 'nsv-contract'

/** nft's type number of marks: 32 bits. */
const MARK = 19

/** A map, a set and a verdict map of 32-bit numbers. */
export const MAP: SetSpec = {
  keyLength: 4,
  keyType: MARK,
  valueLength: 4,
  valueType: MARK,
  isMap: true,
}
export const SET: SetSpec = { keyLength: 4, keyType: MARK }
export const VERDICTS: SetSpec = { keyLength: 4, keyType: MARK, isVerdictMap: true }

export const HOOK: ChainHook = { type: 'filter', hook: 'input', priority: 10, policy: 'accept' }

export const addTable: NftOperation = { kind: 'addTable', table: TABLE }
export const deleteTable: NftOperation = { kind: 'deleteTable', table: TABLE }

export function addChain(chain: string, hook?: ChainHook): NftOperation {
  return { kind: 'addChain', table: TABLE, chain, ...(hook && { hook }) }
}

export function deleteChain(chain: string): NftOperation {
  return { kind: 'deleteChain', table: TABLE, chain }
}

export function flushChain(chain: string): NftOperation {
  return { kind: 'flushChain', table: TABLE, chain }
}

export function addRule(chain: string, ...expressions: readonly Expression[]): NftOperation {
  return { kind: 'addRule', table: TABLE, chain, expressions }
}

export function goto(chain: string): Expression {
  return { expr: 'verdict', code: 'goto', chain }
}

/** Looks the packet's mark up in a map. */
export function lookup(set: string): Expression[] {
  return [
    { expr: 'meta', key: 'mark', dreg: 8 },
    { expr: 'lookup', set, sreg: 8, dreg: 9 },
  ]
}

export function addSet(set: string, setSpec: SetSpec): NftOperation {
  return { kind: 'addSet', table: TABLE, set, setSpec }
}

export function deleteSet(set: string): NftOperation {
  return { kind: 'deleteSet', table: TABLE, set }
}

export function flushSet(set: string): NftOperation {
  return { kind: 'flushSet', table: TABLE, set }
}

/** Adds to a map; `[1, 2]` is key 1 with value 2. */
export function addPairs(set: string, ...entries: readonly [number, number][]): NftOperation {
  const keys = numbers(...entries.map(([key]) => key))
  const values = numbers(...entries.map(([, value]) => value))
  return { kind: 'addElements', table: TABLE, set, setSpec: MAP, keys, values }
}

export function addKeys(set: string, ...keys: readonly number[]): NftOperation {
  return { kind: 'addElements', table: TABLE, set, setSpec: SET, keys: numbers(...keys) }
}

export function addVerdict(set: string, key: number, chain: string): NftOperation {
  const elements = { keys: numbers(key), chains: [chain] }
  return { kind: 'addElements', table: TABLE, set, setSpec: VERDICTS, ...elements }
}

export function deleteKeys(set: string, ...keys: readonly number[]): NftOperation {
  return { kind: 'deleteElements', table: TABLE, set, setSpec: SET, keys: numbers(...keys) }
}

/** Numbers as bytes in the machine's order. */
export function numbers(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer)
}
