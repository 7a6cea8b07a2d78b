/**
 * The options of one VIP's backends as bytes, at the end of a set's header; backends name theirs by
 * its number. Mostly there is one entry, or none.
 *
 * | field | bytes | |
 * | --- | --- | --- |
 * | count | 1 | entries; absent where no backend has options and the node no zone |
 * | size | 1 | bytes of an entry; newer nodes may append fields |
 * | algorithm | 1 | 1 random, 2 rr, 3 least-conn, 4 p2c-ewma, 5 maglev |
 * | affinity | 4 | seconds |
 * | drain | 4 | 2³²−1 graceful, 2³²−2 reset, else seconds |
 * | locality | 1 | 1 node, 2 zone, 3 none |
 * | connection limit | 4 | |
 * | slow start | 4 | seconds |
 *
 * 0 says nothing, as does a number that this node does not know.
 */
import {
  ALGORITHMS,
  type Drain,
  formatOptions,
  LOCALITIES,
  type VipOptions,
} from '../../model/vip-options.ts'
import type { FieldReader, FieldWriter } from './fields.ts'

const ENTRY_BYTES = 18
/** A header has at most 255 bytes, of which 16 are an address and 64 a zone. */
const OPTION_ENTRIES = 9
const GRACEFUL = 0xffffffff
const RESET = 0xfffffffe

/** The entries of a set by their text, and how many found no room. */
export interface OptionEntries {
  readonly entries: ReadonlyMap<string, { readonly number: number; readonly options: VipOptions }>
  readonly omittedCount: number
}

/** Different options of a VIP's backends, in an order that depends on nothing but them. */
export function optionEntries(all: Iterable<VipOptions | undefined>): OptionEntries {
  const byText = new Map<string, VipOptions>()
  for (const options of all) if (options !== undefined) byText.set(formatOptions(options), options)
  byText.delete('')
  const texts = [...byText.keys()].sort()
  const kept = texts.slice(0, OPTION_ENTRIES)
  const entries = kept.map(
    (text, number) => [text, { number, options: byText.get(text) ?? {} }] as const,
  )
  return { entries: new Map(entries), omittedCount: texts.length - kept.length }
}

/** Writes the entries. */
export function writeOptionTable(writer: FieldWriter, entries: readonly VipOptions[]): void {
  writer.u8(entries.length)
  writer.u8(ENTRY_BYTES)
  for (const options of entries) {
    writer.u8(numberOf(ALGORITHMS, options.algorithm))
    writer.u32(options.affinitySeconds ?? 0)
    writer.u32(drainNumber(options.drain))
    writer.u8(numberOf(LOCALITIES, options.locality))
    writer.u32(options.connectionLimit ?? 0)
    writer.u32(options.slowStartSeconds ?? 0)
  }
}

/** Reads the entries of a header's end; what is cut short has none. */
export function readOptionTable(header: FieldReader): readonly VipOptions[] {
  if (header.remainingBytes === 0) return []
  const count = header.u8()
  const sizeBytes = header.u8()
  if (sizeBytes < ENTRY_BYTES || header.remainingBytes < count * sizeBytes) return []
  return Array.from({ length: count }, () => readEntry(header.part(sizeBytes)))
}

function readEntry(entry: FieldReader): VipOptions {
  const algorithm = ALGORITHMS[entry.u8() - 1]
  const affinitySeconds = entry.u32()
  const drain = drainOf(entry.u32())
  const locality = LOCALITIES[entry.u8() - 1]
  const connectionLimit = entry.u32()
  const slowStartSeconds = entry.u32()
  return {
    ...(algorithm !== undefined && { algorithm }),
    ...(affinitySeconds > 0 && { affinitySeconds }),
    ...(drain !== undefined && { drain }),
    ...(locality !== undefined && { locality }),
    ...(connectionLimit > 0 && { connectionLimit }),
    ...(slowStartSeconds > 0 && { slowStartSeconds }),
  }
}

function numberOf<T>(all: readonly T[], value: T | undefined): number {
  return value === undefined ? 0 : all.indexOf(value) + 1
}

function drainNumber(drain: Drain | undefined): number {
  if (drain === 'graceful') return GRACEFUL
  return drain === 'reset' ? RESET : (drain ?? 0)
}

function drainOf(number: number): Drain | undefined {
  if (number === GRACEFUL) return 'graceful'
  if (number === RESET) return 'reset'
  return number === 0 ? undefined : number
}
