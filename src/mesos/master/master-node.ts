/**
 * What masters write into ZooKeeper: ephemeral nodes numbered by ZooKeeper, of which the lowest
 * leads. `json.info_0000000012` carries MasterInfo as JSON (since Mesos 0.23), `info_…` the same
 * as protobuf; other children, such as `log_replicas`, are none of ours.
 *
 * **Source:** Apache Mesos `src/master/contender/zookeeper.cpp`, `src/master/detector/zookeeper.cpp`,
 * `include/mesos/mesos.proto` (MasterInfo, Address)
 */
import { NavstarError } from '../../base/error.ts'
import { type Ip, ipFromBigint, parseIp } from '../../model/ip.ts'
import { toPort } from '../../model/port.ts'
import { decodeMessage } from '../protobuf/decode.ts'
import {
  FieldError,
  type JsonObject,
  numberAt,
  objectAt,
  textAt,
  toObject,
} from '../state/json-fields.ts'
import { MASTER_PORT, type MasterAddress, parseHostName, parseHostPort } from './master-address.ts'

/** How a node's content is written. */
export type NodeFormat = 'json' | 'protobuf'

/** A child that is a master. */
export interface MasterNode {
  readonly name: string
  readonly format: NodeFormat
  readonly sequence: number
}

/** The children that are masters, the leading one first. */
export function masterNodes(names: readonly string[]): readonly MasterNode[] {
  const nodes = names.flatMap((name) => {
    const match = /^(json\.)?info_(-?\d{10})$/.exec(name)
    if (match === null) return []
    const format: NodeFormat = match[1] === undefined ? 'protobuf' : 'json'
    return [{ name, format, sequence: Number(match[2]) }]
  })
  return nodes.sort((left, right) => left.sequence - right.sequence)
}

/** What {@link addressOfNode} reads. */
export interface NodeContent {
  readonly node: MasterNode
  readonly bytes: Uint8Array
  /** MasterInfo does not say it. */
  readonly isTls: boolean
}

/**
 * Where the master of a node serves.
 *
 * @throws NavstarError MASTER_INVALID
 */
export function addressOfNode({ node, bytes, isTls }: NodeContent): MasterAddress {
  try {
    const decoded = node.format === 'json' ? parseJson(bytes) : decodeMessage(bytes, 'MasterInfo')
    return addressOf(toObject(decoded, 'MasterInfo'), isTls)
  } catch (cause) {
    throw new NavstarError('MASTER_INVALID', { attempt: `read ${node.name}`, cause })
  }
}

function parseJson(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
}

/** `address.ip` first: host names are often not resolvable from agents. */
function addressOf(masterInfo: JsonObject, isTls: boolean): MasterAddress {
  const address = objectAt(masterInfo, ['address'])
  const pid = pidOf(masterInfo)
  const ip =
    concrete(parseIp(textOf(address, 'ip'))) ?? concrete(numericIp(masterInfo)) ?? concrete(pid?.ip)
  const host = ip ?? parseHost(textOf(address, 'hostname') || textOf(masterInfo, 'hostname'))
  if (host === undefined) throw new FieldError('address', 'set')
  const portNumber = (address && numberAt(address, ['port'])) ?? numberAt(masterInfo, ['port'])
  const port = portNumber === undefined ? (pid?.port ?? MASTER_PORT) : toPort(portNumber)
  if (port === undefined) throw new FieldError('port', 'a port')
  return { address: host, port, isTls }
}

function textOf(object: JsonObject | undefined, field: string): string {
  return (object && textAt(object, [field])) ?? ''
}

/** The wildcard is where a master listens, not where it is. */
function concrete(ip: Ip | undefined): Ip | undefined {
  return ip === '0.0.0.0' || ip === '::' ? undefined : ip
}

/** A number whose little-endian bytes are the address: 151060746 is 10.1.1.9. */
function numericIp(masterInfo: JsonObject): Ip | undefined {
  const number = numberAt(masterInfo, ['ip'])
  if (number === undefined || !Number.isInteger(number) || number < 0 || number >= 2 ** 32)
    return undefined
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(number)
  return ipFromBigint(BigInt(bytes.readUInt32BE()), 4)
}

function pidOf(masterInfo: JsonObject) {
  const pid = textOf(masterInfo, 'pid')
  const place = parseHostPort(pid.slice(pid.lastIndexOf('@') + 1), MASTER_PORT)
  return place && { ip: parseIp(place.host), port: place.port }
}

function parseHost(text: string): string | undefined {
  return parseIp(text) ?? parseHostName(text)
}
