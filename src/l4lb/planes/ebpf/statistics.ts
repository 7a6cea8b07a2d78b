/** What the programs counted, from the map `measures`. */
import type { BpfEntries } from '../../../kernel/bpf.ts'
import { type Backend, type ServiceKey, serviceKeyOf } from '../../../model/vip.ts'
import type { BackendStatistics, PlaneStatistics } from '../../plane.ts'
import { readLong } from '../words.ts'
import { decodeEndpoint, decodeVipKey, SIZES } from './layout.ts'

/** How many connect times are told apart: CONNECT_TIMES of layout.h. */
export const CONNECT_TIMES = 28

/** What {@link readStatistics} must know. */
export interface StatisticsContext {
  /** Without that only flows of UDP are counted. */
  readonly seesConnections: boolean
  /** Whether the plane serves this backend; others are passed by. */
  has(key: ServiceKey, backend: Pick<Backend, 'address' | 'port'>): boolean
}

/** Takes a dump of `measures` apart. */
export function readStatistics(
  { keys, values }: BpfEntries,
  { seesConnections, has }: StatisticsContext,
): PlaneStatistics {
  const statistics = new Map<ServiceKey, BackendStatistics[]>()
  for (let index = 0; index * SIZES.memberKey < keys.length; index++) {
    const offset = index * SIZES.memberKey
    const vip = decodeVipKey(keys, offset)
    const backend = decodeEndpoint(keys, offset + SIZES.vipKey)
    const key = vip && serviceKeyOf(vip)
    if (key === undefined || !has(key, backend)) continue
    const isSeen = vip?.protocol === 'tcp' && seesConnections
    const counted = isSeen
      ? readMeasure(values, index * SIZES.measure)
      : readFlows(values, index * SIZES.measure)
    const known = statistics.get(key)
    if (known === undefined) statistics.set(key, [{ ...backend, ...counted }])
    else known.push({ ...backend, ...counted })
  }
  return statistics
}

type Counted = Omit<BackendStatistics, 'address' | 'port'>

/** struct measure of a TCP backend. */
function readMeasure(bytes: Uint8Array, offset: number): Counted {
  return {
    connections: readLong(bytes, offset + 8),
    activeConnections: readCount(bytes, offset + 16),
    pendingConnections: readCount(bytes, offset + 72),
    failures: readLong(bytes, offset + 24),
    retransmits: readLong(bytes, offset + 32),
    bytesToBackend: readLong(bytes, offset + 40),
    bytesFromBackend: readLong(bytes, offset + 48),
    connectTimes: Array.from({ length: CONNECT_TIMES }, (_, n) =>
      readLong(bytes, offset + 80 + n * 8),
    ),
  }
}

/** struct measure of a UDP backend: nobody sees a flow end. */
function readFlows(bytes: Uint8Array, offset: number): Counted {
  return { connections: readLong(bytes, offset + 8) }
}

/** A number that programs on two CPUs may for a moment have taken below 0. */
function readCount(bytes: Uint8Array, offset: number): number {
  const count = readLong(bytes, offset)
  return count > Number.MAX_SAFE_INTEGER ? 0 : count
}
