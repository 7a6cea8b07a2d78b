/**
 * All backends of one VIP on one node, as bytes. After a header come the backends, each behind its
 * length, so that newer nodes may append fields; task keys share what they have in common with
 * the one before. About 55 bytes per backend.
 *
 * | field | bytes | |
 * | --- | --- | --- |
 * | header | 1 + n | length; address of the node (16, IPv4 mapped); options (option-table.ts); zone: length (1), text |
 * | backend | 2 + n | length, then the rows below |
 * | flags | 1 | 1: address is IPv6, 2: has local, 4: local is IPv6, 8: has a node address of its own; times 16: why it drains (1 killing, 2 unhealthy, 3 unchecked) |
 * | weight | 2 | |
 * | address, port | 4 or 16, 2 | |
 * | local address, port | 4 or 16, 2 | where flagged |
 * | node address | 16 | where flagged |
 * | task key | 1 + 1 + 2 + n | bytes shared at the start, at the end, length of what is between, that |
 * | options | 1 | number of an entry in the header; absent without options |
 *
 * All integers are big-endian.
 */
import { isUtf8 } from 'node:buffer'
import { NavstarError } from '../../base/error.ts'
import { type BackendRecord, backendRecordKeyOf, vipKeyOf } from '../../model/backend-record.ts'
import { familyOf, type Ip } from '../../model/ip.ts'
import { type ClusterRecord, type OwnRecord, RECORD_KINDS } from '../../model/record.ts'
import type { TaskKey } from '../../model/task.ts'
import { DRAIN_REASONS } from '../../model/vip.ts'
import { formatOptions, type VipOptions } from '../../model/vip-options.ts'
import { FieldReader, FieldWriter } from './fields.ts'
import { optionEntries } from './option-table.ts'
import { readHeader, type SetHeader, writeHeader } from './set-header.ts'
import { parseVipKey, type VipIdentity } from './vip-key.ts'

/** The layout that this node writes, and the only one that it reads. */
export const BACKEND_SET_SCHEMA = 1

/** Backends that one set can have; what is above is neither written nor read. */
export const BACKENDS_PER_SET = 15_000
const KEY_BYTES = 512
const VALUE_BYTES = 1_048_576
const TASK_KEY_BYTES = 768

const FLAGS = { ipv6: 1, local: 2, localIpv6: 4, nodeIp: 8 } as const
const DRAIN_SHIFT = 4

/** A set as bytes, and what of it could not be written. */
export interface WrittenSet {
  /** Undefined when the VIP's own name is too long. */
  readonly record?: OwnRecord
  readonly problem?: NavstarError
}

/**
 * Writes the backends of one VIP. Equal sets give equal bytes, in whatever order.
 *
 * @param backends of one VIP, at least one
 */
export function encodeBackendSet(backends: readonly BackendRecord[]): WrittenSet {
  const ordered = backends.toSorted(byTaskAndKey)
  const [first] = ordered
  if (first === undefined) return {}
  const key = vipKeyOf(first)
  if (Buffer.byteLength(key) > KEY_BYTES) return { problem: tooLarge(key, 'its name is too long') }
  const { entries, omittedCount } = optionEntries(ordered.map(({ options }) => options))
  const writer = new FieldWriter()
  const { nodeIp, zone } = first
  writeHeader(writer, {
    nodeIp,
    zone,
    options: [...entries.values()].map(({ options }) => options),
  })
  const optionNumberOf = ({ options }: BackendRecord) =>
    options && entries.get(formatOptions(options))?.number
  const omitted = writeBackends(writer, ordered, { nodeIp, optionNumberOf })
  const { backends: kind } = RECORD_KINDS
  const record = { kind, schema: BACKEND_SET_SCHEMA, key, value: writer.bytes() }
  if (omitted + omittedCount === 0) return { record }
  const what = omitted > 0 ? `${omitted} of ${backends.length}` : `${omittedCount} sets of options`
  return { record, problem: tooLarge(key, `${what} do not fit`) }
}

function tooLarge(key: string, cause: string): NavstarError {
  const attempt = `tell of the backends of ${key.slice(0, 120)}`
  return new NavstarError('RECORD_TOO_LARGE', { attempt, cause })
}

/** What backends are written against. */
interface WrittenHeader {
  readonly nodeIp: Ip
  readonly optionNumberOf: (backend: BackendRecord) => number | undefined
}

/** @returns how many did not fit */
function writeBackends(
  writer: FieldWriter,
  backends: readonly BackendRecord[],
  { nodeIp, optionNumberOf }: WrittenHeader,
): number {
  let previous: Uint8Array = new Uint8Array()
  let omitted = 0
  for (const [index, backend] of backends.entries()) {
    const taskKey = Buffer.from(backend.taskKey)
    const isTooMany = index - omitted >= BACKENDS_PER_SET
    if (isTooMany || taskKey.length > TASK_KEY_BYTES || writer.sizeBytes > VALUE_BYTES - 1024) {
      omitted++
      continue
    }
    const lengthAt = writer.sizeBytes
    writer.u16(0)
    writeEndpoints(writer, backend, nodeIp)
    writeTaskKey(writer, taskKey, previous)
    const optionNumber = optionNumberOf(backend)
    if (optionNumber !== undefined) writer.u8(optionNumber)
    writer.setU16(lengthAt, writer.sizeBytes - lengthAt - 2)
    previous = taskKey
  }
  return omitted
}

function byTaskAndKey(left: BackendRecord, right: BackendRecord): number {
  if (left.taskKey !== right.taskKey) return left.taskKey < right.taskKey ? -1 : 1
  return left.key < right.key ? -1 : 1
}

function writeEndpoints(writer: FieldWriter, backend: BackendRecord, nodeIp: Ip): void {
  const { address, port, local, weight } = backend
  let flags = familyOf(address) === 6 ? FLAGS.ipv6 : 0
  if (local !== undefined) flags |= FLAGS.local
  if (local !== undefined && familyOf(local.address) === 6) flags |= FLAGS.localIpv6
  if (backend.nodeIp !== nodeIp) flags |= FLAGS.nodeIp
  if (backend.drainReason !== undefined) {
    flags |= (DRAIN_REASONS.indexOf(backend.drainReason) + 1) << DRAIN_SHIFT
  }
  writer.u8(flags)
  writer.u16(weight)
  writer.ip(address)
  writer.u16(port)
  if (local !== undefined) {
    writer.ip(local.address)
    writer.u16(local.port)
  }
  if (backend.nodeIp !== nodeIp) writer.ip16(backend.nodeIp)
}

function writeTaskKey(writer: FieldWriter, key: Uint8Array, previous: Uint8Array): void {
  const most = Math.min(key.length, previous.length, 255)
  let start = 0
  while (start < most && key[start] === previous[start]) start++
  const rest = Math.min(key.length - start, previous.length - start, 255)
  let end = 0
  while (end < rest && key.at(-1 - end) === previous.at(-1 - end)) end++
  writer.u8(start)
  writer.u8(end)
  writer.u16(key.length - start - end)
  writer.raw(key.subarray(start, key.length - end))
}

/** What could be read of a set. */
export interface BackendSet {
  readonly backends: readonly BackendRecord[]
  readonly problem?: NavstarError
}

/**
 * Reads a set; never throws. What it makes is at most some fifty times as large as the bytes.
 *
 * @param isOwn whether this node stated it: others' port mappings cannot be passed by from here,
 * and addresses that mean another host on each host are no backends
 */
export function decodeBackendSet(
  record: Pick<ClusterRecord, 'node' | 'key' | 'schema' | 'value'>,
  { isOwn }: { readonly isOwn: boolean },
): BackendSet {
  const identity = parseVipKey(record.key)
  const refuse = (cause: string, backends: readonly BackendRecord[] = []): BackendSet => {
    const attempt = `read the backends of ${record.key.slice(0, 120)} on ${record.node}`
    return { backends, problem: new NavstarError('RECORD_INVALID', { attempt, cause }) }
  }
  if (identity === undefined) return refuse('its key names no VIP')
  if (record.schema !== BACKEND_SET_SCHEMA) return refuse(`it has layout ${record.schema}`)
  const reader = new FieldReader(record.value)
  const header = readHeader(reader)
  if (header === undefined) return refuse('it has no header')
  const context = { ...identity, ...header, node: record.node, isOwn }
  const { backends, skipped } = readBackends(reader, context)
  return skipped === 0 ? { backends } : refuse(`${skipped} cannot be used`, backends)
}

interface SetContext extends VipIdentity, SetHeader {
  readonly node: ClusterRecord['node']
  readonly isOwn: boolean
}

function readBackends(reader: FieldReader, context: SetContext) {
  const backends = new Map<string, BackendRecord>()
  let previous: Uint8Array = new Uint8Array()
  let skipped = 0
  while (reader.remainingBytes > 0 && backends.size < BACKENDS_PER_SET) {
    const part = reader.part(reader.u16())
    const endpoints = readEndpoints(part)
    const taskKey = readTaskKey(part, previous)
    if (taskKey === undefined) return { backends: [...backends.values()], skipped: skipped + 1 }
    previous = taskKey
    const options = part.remainingBytes === 0 ? undefined : context.options[part.u8()]
    const backend = backendOf({ ...endpoints, options }, taskKey, context)
    if (backend === undefined || backends.has(backend.key)) skipped++
    else backends.set(backend.key, backend)
  }
  return { backends: [...backends.values()], skipped: skipped + Math.sign(reader.remainingBytes) }
}

type Read = ReturnType<typeof readEndpoints> & { readonly options: VipOptions | undefined }

function readEndpoints(part: FieldReader) {
  const flags = part.u8()
  const weight = part.u16()
  const address = part.ip((flags & FLAGS.ipv6) === 0 ? 4 : 6)
  const port = part.port()
  const local =
    (flags & FLAGS.local) === 0
      ? undefined
      : { address: part.ip((flags & FLAGS.localIpv6) === 0 ? 4 : 6), port: part.port() }
  const nodeIp = (flags & FLAGS.nodeIp) === 0 ? undefined : part.ip16()
  const drainReason = DRAIN_REASONS[((flags >> DRAIN_SHIFT) & 3) - 1]
  return { weight, address, port, local, nodeIp, drainReason }
}

/** @returns undefined when later keys, which build on this one, cannot be read either */
function readTaskKey(part: FieldReader, previous: Uint8Array): Uint8Array | undefined {
  const [start, end] = [part.u8(), part.u8()]
  const middle = part.raw(part.u16())
  const sizeBytes = start + middle.length + end
  const isShared = start + end <= previous.length
  if (part.isBroken || !isShared || sizeBytes > TASK_KEY_BYTES) return undefined
  const key = Buffer.allocUnsafe(sizeBytes)
  key.set(previous.subarray(0, start))
  key.set(middle, start)
  key.set(previous.subarray(previous.length - end), start + middle.length)
  return key
}

function backendOf(
  { weight, address, port, local, nodeIp, options, drainReason }: Read,
  taskKey: Uint8Array,
  context: SetContext,
): BackendRecord | undefined {
  const { vip, vipPort, protocol, node, isOwn, zone } = context
  const isFitting = vip.kind === 'named' || familyOf(vip.address) === familyOf(address)
  const isUsable = isFitting && isUtf8(taskKey) && (isOwn || !isAmbiguous(address))
  if (port === undefined || !isUsable) return undefined
  const record = {
    vip,
    vipPort,
    protocol,
    address: address === context.nodeIp ? context.nodeIp : address,
    port,
    weight,
    nodeIp: nodeIp ?? context.nodeIp,
    taskKey: Buffer.from(taskKey).toString() as TaskKey,
    node,
    ...(options !== undefined && { options }),
    ...(drainReason !== undefined && { drainReason }),
    ...(zone !== undefined && { zone }),
  }
  const key = flat(backendRecordKeyOf(record)) as BackendRecord['key']
  if (!isOwn || local?.port === undefined) return { key, ...record }
  return { key, ...record, local: { address: local.address, port: local.port } }
}

/** Unspecified, loopback, multicast and reserved addresses: another host, or none, on each host. */
function isAmbiguous(address: Ip): boolean {
  if (familyOf(address) === 6) return /^(?:::1?$|ff)/.test(address)
  const first = Number.parseInt(address, 10)
  return first === 0 || first === 127 || first >= 224
}

/** A text of many parts takes several times its size until it is written out once. */
function flat(text: string): string {
  return Buffer.from(text).toString()
}
