import { Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import { defineTraffic } from '../../src/l4lb/metrics-of-traffic.ts'
import type { BackendStatistics, PlaneStatistics } from '../../src/l4lb/plane.ts'
import type { TrafficLimits } from '../../src/l4lb/traffic-reading.ts'
import type { ServiceKey } from '../../src/model/vip.ts'
import { ip, port } from './records.ts'

const WEB = 'tcp/11.0.0.1/80' as ServiceKey
const DNS = 'udp/fd01:c::5/53' as ServiceKey

function counted(address: string, counters: Omit<BackendStatistics, 'address' | 'port'>) {
  return { address: ip(address), port: port(8080), ...counters }
}

/** What a scrape gives, without comments. */
async function scrape(registry: Registry): Promise<readonly string[]> {
  const text = await registry.metrics()
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
}

function registryOf(statistics: () => Promise<PlaneStatistics>, limits?: TrafficLimits): Registry {
  const registry = new Registry()
  const nameOf = (key: ServiceKey) => (key === WEB ? 'web.marathon' : undefined)
  defineTraffic(registry, () => ({ statistics, nameOf }), limits)
  return registry
}

describe('the metrics of traffic', () => {
  test('have a series per VIP and backend, of what is counted and nothing else', async () => {
    const lines = await scrape(
      registryOf(
        async () =>
          new Map([
            [WEB, [counted('10.0.0.1', { connections: 7, activeConnections: 2, failures: 0 })]],
            [DNS, [counted('fd99::1', { connections: 3 })]],
          ]),
      ),
    )
    expect(lines.filter((line) => line.startsWith('navstar_l4lb_backend_'))).toEqual([
      'navstar_l4lb_backend_connections_total{protocol="tcp",vip="11.0.0.1:80",name="web.marathon",backend="10.0.0.1:8080"} 7',
      'navstar_l4lb_backend_connections_total{protocol="udp",vip="[fd01:c::5]:53",name="",backend="[fd99::1]:8080"} 3',
      'navstar_l4lb_backend_failures_total{protocol="tcp",vip="11.0.0.1:80",name="web.marathon",backend="10.0.0.1:8080"} 0',
      'navstar_l4lb_backend_active_connections{protocol="tcp",vip="11.0.0.1:80",name="web.marathon",backend="10.0.0.1:8080"} 2',
    ])
  })

  test('have a histogram per VIP over all its backends', async () => {
    const connectTimes = Array.from({ length: 28 }, (_, power) => (power === 7 ? 3 : 0))
    const slow = Array.from({ length: 28 }, (_, power) => (power === 27 ? 1 : 0))
    const backends = [
      counted('10.0.0.1', { connectTimes }),
      counted('10.0.0.2', { connectTimes: slow }),
    ]
    const lines = await scrape(registryOf(async () => new Map([[WEB, backends]])))
    const buckets = lines
      .filter((line) => line.includes('_bucket'))
      .map((line) => /le="(.*?)"\} (\d+)/.exec(line)?.slice(1).join(' '))
    expect(buckets.slice(0, 3)).toEqual(['0.000064 0', '0.000256 3', '0.001024 3'])
    expect(buckets.slice(-2)).toEqual(['4.194304 3', '+Inf 4'])
    expect(lines.find((line) => line.includes('duration_seconds_count'))).toMatch(/ 4$/)
  })

  test('read the kernel once per scrape', async () => {
    let reads = 0
    const registry = registryOf(async () => {
      reads++
      return new Map()
    })
    await registry.metrics()
    await registry.metrics()
    expect(reads).toBe(2)
  })

  test('are left out when the kernel cannot be read, and the others stay', async () => {
    const lines = await scrape(registryOf(() => Promise.reject(new Error('no'))))
    expect(lines).toEqual([
      'navstar_l4lb_traffic_left_out{kind="backend"} 0',
      'navstar_l4lb_traffic_left_out{kind="vip"} 0',
    ])
  })

  test('are bounded: those used most have series and keep them, the rest is counted', async () => {
    let connections = [5, 9, 1]
    const registry = registryOf(
      async () =>
        new Map([
          [
            WEB,
            connections.map((count, index) => counted(`10.0.0.${index}`, { connections: count })),
          ],
        ]),
      { backends: 2, vips: 0 },
    )
    const shown = async () =>
      (await scrape(registry)).flatMap((line) => /backend="10\.0\.0\.(\d)/.exec(line)?.[1] ?? [])
    expect(await shown()).toEqual(['1', '0'])
    connections = [5, 9, 100]
    expect((await shown()).sort()).toEqual(['0', '1'])
    expect(await scrape(registry)).toContain('navstar_l4lb_traffic_left_out{kind="backend"} 1')
  })
})
