import type { Brand } from './brand.ts'

/** Where a node is, as far as traffic has a price: a rack, a hall, an availability zone. */
export type Zone = Brand<string, 'Zone'>

/** Letters, digits, `-`, `_`, `.` and `/`; at most 63 characters. */
export function parseZone(text: string): Zone | undefined {
  return /^[\w./-]{1,63}$/.test(text) ? (text as Zone) : undefined
}
