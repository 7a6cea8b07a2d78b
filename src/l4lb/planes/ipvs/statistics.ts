/** What IPVS counted. */
import type { ObservedIpvsService } from '../../../kernel/ipvs.ts'
import { toPort } from '../../../model/port.ts'
import type { ServiceKey } from '../../../model/vip.ts'
import type { BackendStatistics, PlaneStatistics } from '../../plane.ts'
import { isLeaving, isLeavingService, isRefusal, ownAddress, ownKey } from './service-form.ts'

/**
 * The counters of our services' destinations. Bytes are those of all packets, headers included, and of
 * open connections too. A flow of UDP is never established, so none is active.
 */
export function statisticsOf(observed: readonly ObservedIpvsService[]): PlaneStatistics {
  const rows = new Map<ServiceKey, readonly BackendStatistics[]>()
  for (const service of observed) {
    const key = ownKey(service)
    if (key === undefined || isLeavingService(service)) continue
    const isTcp = ownAddress(service)?.protocol === 'tcp'
    const members = service.destinations.filter(
      (each) => !isLeaving(each) && !isRefusal(service, each),
    )
    rows.set(
      key,
      members.flatMap(({ address, port: number, activeConnections, statistics }) => {
        const port = toPort(number)
        if (port === undefined) return []
        const { connections, incomingBytes, outgoingBytes } = statistics
        return [
          {
            address,
            port,
            connections,
            ...(isTcp && { activeConnections }),
            bytesToBackend: incomingBytes,
            bytesFromBackend: outgoingBytes,
          },
        ]
      }),
    )
  }
  return rows
}
