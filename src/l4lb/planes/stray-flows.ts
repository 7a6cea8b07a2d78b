/**
 * UDP flows that go on to a backend which their service has no more: conntrack keeps them as long as
 * somebody sends. Those of a backend that drains stay.
 */
import type { Conntrack, ConntrackEntry } from '../../kernel/conntrack.ts'
import { formatEndpoint, type Service } from '../../model/vip.ts'

/**
 * Deletes the stray flows of these services, and nothing else. A service that ended is one without
 * backends.
 *
 * @returns how many
 * @throws NavstarError `KERNEL_READ_FAILED`, `KERNEL_OPERATION_FAILED`
 */
export async function endStrayFlows(
  conntrack: Conntrack,
  services: readonly Service[],
): Promise<number> {
  const byVip = new Map(
    services
      .filter(({ protocol }) => protocol === 'udp')
      .map((service) => [formatEndpoint(service), service] as const),
  )
  if (byVip.size === 0) return 0
  const flows = [...byVip.values()].map(({ address, port }) => {
    return { protocol: 'udp', originalDestination: { address, port } } as const
  })
  const strays = (await conntrack.entries(flows)).filter((entry) => isStray(entry, byVip))
  if (strays.length === 0) return 0
  return conntrack.delete(
    strays.map(({ original, reply }) => ({
      protocol: 'udp',
      originalDestination: original.destination,
      replySource: reply.source,
    })),
  )
}

/** One that was never translated has the VIP itself for its other end, and is none of ours. */
function isStray(
  { original, reply }: ConntrackEntry,
  byVip: ReadonlyMap<string, Service>,
): boolean {
  const vip = textOf(original.destination)
  const end = textOf(reply.source)
  const service = byVip.get(vip)
  if (service === undefined || end === vip) return false
  return service.backends.every((backend) => formatEndpoint(backend) !== end)
}

function textOf({ address, port }: ConntrackEntry['reply']['source']): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
