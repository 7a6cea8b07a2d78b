import { readdir } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { navstarProgram } from '../../src/demo/host/host-process.ts'
import { requireFeature } from '../feature.ts'
import { openCluster, startBackends, startLoad, type TestCluster } from './cluster.ts'

const SWITCHES = ['nftables', 'ebpf', 'nftables'] as const

describe('a node under load', () => {
  it('fails no request when its plane is switched and its daemon starts with another', async (ctx) => {
    for (const feature of ['root', 'ebpf', 'nftables'] as const) await requireFeature(ctx, feature)
    const cluster = await openCluster({ containers: 3, plane: 'auto' })
    const { host } = cluster
    try {
      const address = await startBackends(cluster, 3)
      const loads = [
        await startLoad(host, `http://${address}/`, { clients: 2 }),
        await startLoad(host, `http://${address}/`, { clients: 2, container: 1 }),
      ]
      for (const plane of SWITCHES) {
        const said = await host.run(navstarProgram('plane', 'switch', plane))
        expect(said).toContain(`plane ${plane} serves now instead of`)
        expect(await cluster.metric('navstar_l4lb_plane_state')).toBe(1)
        expect(await serving(cluster)).toMatchObject({ kind: plane, state: 'serves' })
        await cluster.untilSync(({ isInSync }) => isInSync)
      }
      expect((await cluster.sync()).drifts).toBe(0)
      expect(await cluster.metric('navstar_l4lb_plane_switches_total')).toBe(SWITCHES.length)

      await host.killDaemon()
      await host.startDaemon() // --plane auto: it goes on as it was told
      expect(await serving(cluster)).toMatchObject({ kind: 'nftables' })

      await host.killDaemon()
      await host.startDaemon('--plane', 'ebpf')
      expect(await serving(cluster)).toMatchObject({
        kind: 'ebpf',
        note: expect.stringContaining('does not count'),
      })
      await host.waitFor('/v1/navstar/plane', (text) => text.includes('"isRetired":true'))

      await host.killDaemon()
      await host.startDaemon('--plane', 'nftables')
      await host.waitFor('/v1/navstar/plane', (text) => text.includes('"isRetired":true'))
      const pins = await readdir(`${host.places.pinDirectory}/${await version(cluster)}`)
      expect(pins.filter((pin) => /^link-(connect|sendmsg)/.test(pin))).toEqual([])

      for (const { failures, spread } of await Promise.all(loads.map((load) => load.stop()))) {
        expect(failures).toEqual({})
        expect(Object.keys(spread)).toHaveLength(3)
      }
    } finally {
      await cluster.close()
    }
  })
})

async function serving({ host }: TestCluster): Promise<object> {
  const view = JSON.parse(await host.waitFor('/v1/navstar/plane')) as {
    readonly kind: string
    readonly note?: string
    readonly planes: readonly { readonly kind: string; readonly state: string }[]
  }
  return { ...view, ...view.planes.find(({ state }) => state === 'serves') }
}

/** The directory of the layout's version, e.g. `v2`. */
async function version({ host }: TestCluster): Promise<string> {
  return (await readdir(host.places.pinDirectory)).find((name) => name.startsWith('v')) ?? ''
}
