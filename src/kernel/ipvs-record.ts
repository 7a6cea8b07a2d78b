/**
 * How IPVS crosses the seam: records of fixed length, little-endian, as the table in
 * `native/kernel/src/ipvs/record.rs` lays them out.
 */
import { endOfTurn } from '../base/turn.ts'
import { type Family, type Ip, ipFromBigint, ipToBigint, isIpv4 } from '../model/ip.ts'
import type {
  IpvsDestination,
  IpvsForwarding,
  IpvsKey,
  IpvsOperation,
  IpvsService,
  IpvsStatistics,
  ObservedIpvsDestination,
  ObservedIpvsService,
} from './ipvs.ts'
import { familyOfKey, ipvsDestination, ipvsService } from './ipvs.ts'

/** Observed services as the addon gives them. */
export interface IpvsRecords {
  readonly services: Uint8Array
  readonly destinations: Uint8Array
  readonly schedulers: readonly string[]
}

const OPERATION_BYTES = 68
const DESTINATION_OFFSET = 36
const SERVICE_BYTES = 120
const DESTINATION_BYTES = 128
/** About a millisecond of reading. */
const RECORDS_PER_TURN = 1000

const KINDS = {
  newService: 1,
  setService: 2,
  deleteService: 3,
  newDestination: 4,
  setDestination: 5,
  deleteDestination: 6,
} as const
const PROTOCOLS = { tcp: 6, udp: 17, sctp: 132 } as const
const PROTOCOL_NAMES: Readonly<Record<number, keyof typeof PROTOCOLS>> = {
  6: 'tcp',
  17: 'udp',
  132: 'sctp',
}
const FORWARDINGS: readonly IpvsForwarding[] = [
  'masquerade',
  'local',
  'tunnel',
  'direct',
  'bypass',
  'unknown',
]

const PERSISTENT = 0x1
const ONE_PACKET = 0x4
const SCHEDULER_FLAGS_SHIFT = 3

/** Writes operations. */
export function recordsOf(operations: readonly IpvsOperation[]): {
  readonly bytes: Uint8Array
  readonly schedulers: string[]
} {
  const bytes = new Uint8Array(operations.length * OPERATION_BYTES)
  const schedulers = new Map<string, number>()
  operations.forEach((operation, index) => {
    const view = new DataView(bytes.buffer, index * OPERATION_BYTES, OPERATION_BYTES)
    view.setUint8(0, KINDS[operation.kind])
    if ('service' in operation) {
      const { service } = operation
      const number = schedulers.get(service.scheduler) ?? schedulers.size
      schedulers.set(service.scheduler, number)
      putService(view, service, number)
      return
    }
    putKey(view, operation.key)
    if ('destination' in operation) putDestination(view, operation.destination)
    if ('endpoint' in operation) putDestination(view, ipvsDestination(operation.endpoint))
  })
  return { bytes, schedulers: [...schedulers.keys()] }
}

function putService(view: DataView, service: IpvsService, scheduler: number): void {
  putKey(view, service.key)
  view.setUint8(3, service.persistencePrefix)
  view.setUint16(6, scheduler, true)
  const flags =
    (service.isPersistent ? PERSISTENT : 0) |
    (service.isOnePacket ? ONE_PACKET : 0) |
    (service.schedulerFlags << SCHEDULER_FLAGS_SHIFT)
  view.setUint32(28, flags, true)
  view.setUint32(32, service.persistenceSeconds, true)
}

function putKey(view: DataView, key: IpvsKey): void {
  view.setUint8(1, familyOfKey(key))
  if (key.kind === 'mark') {
    view.setUint32(24, key.mark, true)
    return
  }
  view.setUint8(2, PROTOCOLS[key.protocol])
  view.setUint16(4, key.port, true)
  putAddress(view, 8, key.address)
}

function putDestination(view: DataView, destination: IpvsDestination): void {
  const at = DESTINATION_OFFSET
  view.setUint8(at, isIpv4(destination.address) ? 4 : 6)
  view.setUint8(at + 1, FORWARDINGS.indexOf(destination.forwarding))
  view.setUint16(at + 2, destination.port, true)
  putAddress(view, at + 4, destination.address)
  view.setUint32(at + 20, destination.weight, true)
  view.setUint32(at + 24, destination.upperThreshold, true)
  view.setUint32(at + 28, destination.lowerThreshold, true)
}

function putAddress(view: DataView, offset: number, address: Ip): void {
  if (isIpv4(address)) {
    address.split('.').forEach((octet, index) => {
      view.setUint8(offset + index, Number(octet))
    })
    return
  }
  const number = ipToBigint(address)
  view.setBigUint64(offset, number >> 64n)
  view.setBigUint64(offset + 8, BigInt.asUintN(64, number))
}

/** Reads what was observed, a thousand records in a turn of the event loop. */
export async function readRecords(records: IpvsRecords): Promise<readonly ObservedIpvsService[]> {
  const services = viewOf(records.services)
  const destinations = viewOf(records.destinations)
  const read: ObservedIpvsService[] = []
  let next = 0
  let budget = RECORDS_PER_TURN
  for (let at = 0; at < services.byteLength; at += SERVICE_BYTES) {
    const count = services.getUint32(at + 36, true)
    const service = serviceAt(services, at, records.schedulers)
    if (service !== undefined) {
      read.push({
        ...service,
        statistics: statisticsAt(services, at + 40),
        destinations: destinationsAt(destinations, next, count),
      })
    }
    next += count * DESTINATION_BYTES
    budget -= 1 + count
    if (budget > 0) continue
    budget = RECORDS_PER_TURN
    await endOfTurn()
  }
  return read
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function serviceAt(
  view: DataView,
  at: number,
  schedulers: readonly string[],
): IpvsService | undefined {
  const key = keyAt(view, at)
  if (key === undefined) return undefined
  const flags = view.getUint32(at + 28, true)
  return ipvsService({
    key,
    scheduler: schedulers[view.getUint16(at + 6, true)] ?? '',
    isPersistent: (flags & PERSISTENT) !== 0,
    isOnePacket: (flags & ONE_PACKET) !== 0,
    schedulerFlags: (flags >> SCHEDULER_FLAGS_SHIFT) & 7,
    persistenceSeconds: view.getUint32(at + 32, true),
    persistencePrefix: view.getUint8(at + 3),
  })
}

/** Undefined for a protocol that navstar does not know. */
function keyAt(view: DataView, at: number): IpvsKey | undefined {
  const family: Family = view.getUint8(at + 1) === 4 ? 4 : 6
  const number = view.getUint8(at + 2)
  if (number === 0) return { kind: 'mark', family, mark: view.getUint32(at + 24, true) }
  const protocol = PROTOCOL_NAMES[number]
  if (protocol === undefined) return undefined
  const address = addressAt(view, at + 8, family)
  return { kind: 'address', protocol, address, port: view.getUint16(at + 4, true) }
}

function destinationsAt(
  view: DataView,
  at: number,
  count: number,
): readonly ObservedIpvsDestination[] {
  const read: ObservedIpvsDestination[] = []
  for (let index = 0; index < count; index++) {
    read.push(destinationAt(view, at + index * DESTINATION_BYTES))
  }
  return read
}

function destinationAt(view: DataView, at: number): ObservedIpvsDestination {
  return {
    address: addressAt(view, at + 4, view.getUint8(at) === 4 ? 4 : 6),
    port: view.getUint16(at + 2, true),
    forwarding: FORWARDINGS[view.getUint8(at + 1)] ?? 'unknown',
    weight: view.getUint32(at + 20, true),
    upperThreshold: view.getUint32(at + 24, true),
    lowerThreshold: view.getUint32(at + 28, true),
    activeConnections: view.getUint32(at + 32, true),
    inactiveConnections: view.getUint32(at + 36, true),
    persistentConnections: view.getUint32(at + 40, true),
    statistics: statisticsAt(view, at + 48),
  }
}

function statisticsAt(view: DataView, at: number): IpvsStatistics {
  const number = (index: number) =>
    view.getUint32(at + index * 8 + 4, true) * 2 ** 32 + view.getUint32(at + index * 8, true)
  return {
    connections: number(0),
    incomingPackets: number(1),
    outgoingPackets: number(2),
    incomingBytes: number(3),
    outgoingBytes: number(4),
    connectionsPerSecond: number(5),
    incomingPacketsPerSecond: number(6),
    outgoingPacketsPerSecond: number(7),
    incomingBytesPerSecond: number(8),
    outgoingBytesPerSecond: number(9),
  }
}

function addressAt(view: DataView, at: number, family: Family): Ip {
  if (family === 4) {
    const octet = (index: number) => view.getUint8(at + index)
    return `${octet(0)}.${octet(1)}.${octet(2)}.${octet(3)}` as Ip
  }
  return ipFromBigint((view.getBigUint64(at) << 64n) | view.getBigUint64(at + 8), 6)
}
