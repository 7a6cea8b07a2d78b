import { describe, expect, it } from 'vitest'
import { requireFeature } from '../feature.ts'
import { openCluster, startLoad } from './cluster.ts'

const KILLS = 20

describe.each(['ebpf', 'nftables'] as const)(
  'a daemon on plane %s that is killed with -9 under load',
  (plane) => {
    it(`fails no request over ${KILLS} kills, and each start adopts the data path`, async (ctx) => {
      requireFeature(ctx, 'root')
      requireFeature(ctx, plane)
      const cluster = await openCluster({ containers: 3, plane })
      const { host } = cluster
      try {
        for (let index = 1; index <= 3; index++) {
          await host.startBackend(index, {
            name: 'web',
            ports: [{ port: 8080, vips: ['/web:80'] }],
          })
        }
        await host.startDaemon()
        await host.waitFor('/v1/navstar/vips', (text) => text.includes('"served"'))
        const [address] = (await cluster.vips()).map((vip) => vip.address)
        const onHost = await startLoad(host, `http://${address}/`, { clients: 2 })
        const inContainer = await startLoad(host, `http://${address}/`, {
          clients: 2,
          container: 1,
        })
        for (let kill = 0; kill < KILLS; kill++) {
          await host.killDaemon()
          await host.startDaemon()
          expect(await cluster.metric('navstar_l4lb_operations_total')).toBe(0)
        }
        for (const load of [onHost, inContainer]) {
          const { failures, timesUs, spread } = await load.stop()
          expect(failures).toEqual({})
          expect(timesUs.length).toBeGreaterThan(KILLS * 20)
          expect(Object.keys(spread)).toEqual(['web-1', 'web-2', 'web-3'])
        }
      } finally {
        await cluster.close()
      }
    })
  },
)
