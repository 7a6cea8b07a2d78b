/** What all backends of a set have in common, at its start: 1 + n bytes, see backend-set.ts. */
import type { Ip } from '../../model/ip.ts'
import type { VipOptions } from '../../model/vip-options.ts'
import { parseZone, type Zone } from '../../model/zone.ts'
import type { FieldReader } from './fields.ts'
import { FieldWriter } from './fields.ts'
import { readOptionTable, writeOptionTable } from './option-table.ts'

/** The header of a set. */
export interface SetHeader {
  readonly nodeIp: Ip
  /** Entries that backends name by their number. */
  readonly options: readonly VipOptions[]
  readonly zone?: Zone | undefined
}

/** Writes a header. */
export function writeHeader(writer: FieldWriter, { nodeIp, options, zone }: SetHeader): void {
  const header = new FieldWriter()
  header.ip16(nodeIp)
  if (options.length > 0 || zone !== undefined) writeOptionTable(header, options)
  if (zone !== undefined) {
    header.u8(zone.length)
    header.raw(Buffer.from(zone))
  }
  writer.u8(header.sizeBytes)
  writer.raw(header.bytes())
}

/** Reads a header; undefined when it has not even an address. */
export function readHeader(reader: FieldReader): SetHeader | undefined {
  const header = reader.part(reader.u8())
  const nodeIp = header.ip16()
  if (header.isBroken) return undefined
  const options = readOptionTable(header)
  const zone = parseZone(Buffer.from(header.raw(header.u8())).toString('latin1'))
  return { nodeIp, options, zone }
}
