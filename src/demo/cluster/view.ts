/** How the daemons of a cluster see it. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { VipsView } from '../../daemon/vip-resources.ts'
import type { ClusterHost } from '../host/cluster-host.ts'
import { monotonicMs } from '../load/monotonic.ts'
import { BACKEND_PORT } from './cluster.ts'

/** The backends that take new connections of a VIP on a host, e.g. `172.31.2.11:8080`; both families. */
export async function activeBackends(host: ClusterHost): Promise<readonly string[]> {
  const text = await host.ask('/v1/navstar/vips')
  if (text === undefined) return []
  const { vips } = JSON.parse(text) as VipsView
  return vips
    .filter(({ state }) => state === 'served')
    .flatMap(({ backends }) => backends.filter(({ weight }) => weight > 0))
    .map(({ address }) => address)
    .sort()
}

/** The addresses of all backends of hosts, as {@link activeBackends} tells them. */
export function backendAddresses(hosts: readonly ClusterHost[]): readonly string[] {
  return hosts
    .flatMap((host) => host.backends.map((index) => host.addresses.container(index)))
    .flatMap(({ ip, ip6 }) => [`${ip}:${BACKEND_PORT}`, `[${ip6}]:${BACKEND_PORT}`])
    .sort()
}

/**
 * Waits until each of the observers serves exactly the backends of the hosts.
 *
 * @returns after how many milliseconds; undefined: not in time
 */
export async function untilServed(
  observers: readonly ClusterHost[],
  wanted: readonly string[],
  withinMs: number,
): Promise<number | undefined> {
  const startMs = monotonicMs()
  const text = wanted.join()
  const waiting = new Set(observers)
  while (waiting.size > 0) {
    if (monotonicMs() - startMs > withinMs) return undefined
    for (const host of waiting) {
      if ((await activeBackends(host)).join() === text) waiting.delete(host)
    }
    if (waiting.size > 0) await sleep(POLL_MS)
  }
  return monotonicMs() - startMs
}

const POLL_MS = 20
