import type { NftOperation } from '../../../kernel/nftables.ts'
import { specOf, TABLE } from './ruleset.ts'

/** Elements to add: packed keys, and packed values or the target chains of a verdict map. */
export interface AddedElements {
  readonly keys: Uint8Array
  readonly values?: Uint8Array
  readonly chains?: readonly string[]
}

/** Adds elements to a set of our table. */
export function addElements(set: string, elements: AddedElements): NftOperation {
  return { kind: 'addElements', table: TABLE, set, setSpec: specOf(set), ...elements }
}

/** Deletes the elements with these packed keys from a set of our table. */
export function deleteElements(set: string, keys: Uint8Array): NftOperation {
  return { kind: 'deleteElements', table: TABLE, set, setSpec: specOf(set), keys }
}
