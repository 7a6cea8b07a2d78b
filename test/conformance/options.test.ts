import { describe, expect, it } from 'vitest'
import { openPinnedMap } from '../../src/kernel/bpf.ts'
import { LAYOUT_VERSION } from '../../src/l4lb/planes/ebpf/kernel.ts'
import type { Service } from '../../src/model/vip.ts'
import type { VipOptions } from '../../src/model/vip-options.ts'
import { ADDRESSES } from './network.ts'
import { type BackendInBrief, type Rig, service, tcp, udp } from './rig.ts'
import type { Destination, Tally } from './traffic.ts'
import { useRig } from './use-rig.ts'

const SITES = ['c1', 'c2', 'c3'] as const
const { c1, c2, c3, remote } = ADDRESSES
const ALL: readonly BackendInBrief[] = SITES.map((site) => [ADDRESSES[site][4], 8080])

describe('the ebpf plane', () => {
  let last = 0
  const rig = useRig({ kind: 'ebpf' }, async (opened) => {
    for (const site of SITES) await opened.serve(site, 8080)
  })

  /** Serves a VIP of its own with these options. @returns its address */
  async function serve(
    options: VipOptions,
    backends: readonly BackendInBrief[] = ALL,
    protocol: 'tcp' | 'udp' = 'tcp',
  ): Promise<string> {
    const address = `11.8.0.${++last}`
    await put(address, options, backends, protocol)
    return address
  }

  function put(...[address, options, backends, protocol = 'tcp']: PutParameters): Promise<void> {
    const served: Service = { ...service(protocol, [address, 80], backends), options }
    expect(rig().plane.unsupported(served)).toEqual([])
    return rig().put(served)
  }

  describe('by turns', () => {
    it('gives each backend the same number', async () => {
      const address = await serve({ algorithm: 'rr' })
      const { servers, errors } = await rig().at('host').visits(tcp(address, 80), 300)
      expect(errors).toEqual({})
      // Two CPUs at once may take the same turn.
      for (const site of SITES) expectNear(servers[`${site}:8080`], 100, 5)
    })

    it('gives by weight, and the turns do not restart with a change', async () => {
      const address = await serve({ algorithm: 'rr' }, [
        [c1[4], 8080, 3],
        [c2[4], 8080, 1],
      ])
      const { servers } = await rig().at('host').visits(tcp(address, 80), 400)
      expectNear(servers['c1:8080'], 300, 8)
    })

    it('goes on with the turns after a change', async () => {
      const backends: BackendInBrief[] = [
        [c1[4], 8080],
        [c2[4], 8080],
      ]
      const address = await serve({ algorithm: 'rr' }, backends)
      const turns: (string | undefined)[] = []
      for (let turn = 0; turn < 6; turn++) {
        turns.push((await rig().at('host').visit(tcp(address, 80))).exchange?.server)
        await put(address, { algorithm: 'rr' }, [...backends, [c3[4], 9 + turn, 0]])
      }
      expect(turns.join()).toMatch(/^(c1:8080,c2:8080,?|c2:8080,c1:8080,?){3}$/)
    })

    it('serves UDP too', async () => {
      const address = await serve({ algorithm: 'rr' }, ALL, 'udp')
      const { servers } = await rig()
        .at('c1')
        .visits(udp(address, 80, false), 90)
      for (const site of SITES) expectNear(servers[`${site}:8080`], 30, 5)
    })
  })

  describe('by open connections', () => {
    it('fills the emptiest', async () => {
      const address = await serve({ algorithm: 'least-conn' })
      expect(await serversOfOpen(rig(), address, 9)).toEqual({
        'c1:8080': 3,
        'c2:8080': 3,
        'c3:8080': 3,
      })
    })

    it('fills by weight', async () => {
      const address = await serve({ algorithm: 'least-conn' }, [
        [c1[4], 8080, 2],
        [c2[4], 8080, 1],
      ])
      expect(await serversOfOpen(rig(), address, 9)).toEqual({ 'c1:8080': 6, 'c2:8080': 3 })
    })

    it('draws among many: none gets far more than its share', async () => {
      const ports = Array.from({ length: 20 }, (_, index) => 21_000 + index)
      await rig().serve('remote', ...ports)
      const backends = ports.map((port): BackendInBrief => [remote[4], port])
      const address = await serve({ algorithm: 'least-conn' }, backends)
      const servers = await serversOfOpen(rig(), address, 60)
      expect(Math.max(...Object.values(servers))).toBeLessThanOrEqual(5)
    })

    it('is refused for UDP, aloud', () => {
      const served = service('udp', ['11.8.9.9', 80], ALL)
      for (const options of [{ algorithm: 'least-conn' }, { connectionLimit: 2 }] as const) {
        expect(rig().plane.unsupported({ ...served, options })).toHaveLength(1)
      }
      expect(rig().plane.render({ ...served, options: { algorithm: 'p2c-ewma' } })).toBe(
        rig().plane.render(served),
      )
    })
  })

  describe('by the time that connections take', () => {
    it('leaves a backend that refuses after few tries', async () => {
      const address = await serve({ algorithm: 'p2c-ewma' }, [...ALL, [c1[4], 9]])
      const { servers, errors } = await rig().at('host').visits(tcp(address, 80), 400)
      // Of two that are drawn one is always better; eight clients may try at the same time.
      expect(errors['ECONNREFUSED'] ?? 0).toBeLessThan(20)
      for (const site of SITES) expect(servers[`${site}:8080`]).toBeGreaterThan(50)
    })
  })

  describe('by maglev', () => {
    it('gives a client the same backend while others come and go', async () => {
      const address = await serve({ algorithm: 'maglev' })
      const kept = await only(rig(), 'c1', address)
      const [spare = ''] = SITES.map((site) => `${site}:8080`).filter((name) => name !== kept)
      await put(
        address,
        { algorithm: 'maglev' },
        ALL.filter((_, at) => `${SITES[at]}:8080` !== spare),
      )
      expect(await only(rig(), 'c1', address)).toBe(kept)
    })

    it('spreads sources that are bound', async () => {
      const address = await serve({ algorithm: 'maglev' }, ALL, 'udp')
      const servers = new Set<string | undefined>()
      for (const site of ['c1', 'c2', 'c3', 'host'] as const) {
        servers.add(await only(rig(), site, udp(address, 80)))
      }
      expect(servers.size).toBeLessThanOrEqual(3)
    })
  })

  describe('while backends change', () => {
    it.each([
      { algorithm: 'rr' },
      { algorithm: 'least-conn' },
      { algorithm: 'p2c-ewma' },
      { algorithm: 'maglev' },
      { algorithm: 'rr', affinitySeconds: 60 },
      { algorithm: 'least-conn', connectionLimit: 100 },
    ] as const)('fails no connection: %o', async (options) => {
      const one = ALL.slice(0, 1)
      const address = await serve(options, one)
      const client = rig().at('host')
      await client.flood(tcp(address, 80))
      for (let turn = 0; turn < 24; turn++) {
        // No backend is in two sets that follow each other.
        const changed = turn % 2 === 0 ? ALL.slice(1) : one
        await put(address, options, changed)
        const before = await client.floodCount()
        const isUsed = async () => (await client.floodCount()) - before >= 30
        await expect.poll(isUsed, { interval: 1, timeout: 5_000 }).toBe(true)
      }
      const { servers, errors } = await client.endFlood()
      expect(errors).toEqual({})
      // A client may well keep to one of two.
      expect(Object.keys(servers).length).toBeGreaterThanOrEqual(2)
    })
  })

  describe('with affinity', () => {
    it.each(['random', 'rr', 'least-conn', 'p2c-ewma'] as const)(
      'keeps the backend of a client: %s',
      async (algorithm) => {
        const address = await serve({ algorithm, affinitySeconds: 60 })
        await only(rig(), 'c1', address)
        await only(rig(), 'c2', address)
        // Another name for the same client: the namespace is what counts.
        expect(await only(rig(), 'c2', tcp(`::ffff:${address}`, 80))).toBe(
          await only(rig(), 'c2', address),
        )
      },
    )

    it('ends when the client was silent for long', async () => {
      const address = await serve({ algorithm: 'rr', affinitySeconds: 60 })
      const first = await only(rig(), 'c3', address)
      await forgetClients(rig())
      expect(await only(rig(), 'c3', address)).not.toBe(first)
    })

    it('gives a draining backend no new connection, ever', async () => {
      const options = { affinitySeconds: 60 }
      const address = await serve(options)
      const first = await only(rig(), 'c1', address)
      const drained = ALL.map(
        ([ip, port], at): BackendInBrief => [ip, port, first === `${SITES[at]}:8080` ? 0 : 1],
      )
      await put(address, options, drained)
      const second = await only(rig(), 'c1', address)
      expect(second).not.toBe(first)
      await put(address, options, ALL)
      expect(await only(rig(), 'c1', address)).toBe(second)
    })
  })

  describe('with a connection limit', () => {
    it.each(['random', 'rr', 'least-conn', 'p2c-ewma', 'maglev'] as const)(
      'fills each backend up to it, then refuses at once: %s',
      async (algorithm) => {
        const address = await serve({ algorithm, connectionLimit: 2 })
        expect(await serversOfOpen(rig(), address, 6)).toEqual({
          'c1:8080': 2,
          'c2:8080': 2,
          'c3:8080': 2,
        })
        const refused = await rig().at('c1').visit(tcp(address, 80))
        expect(refused.error).toBe('ECONNREFUSED')
        expect(refused.durationMs).toBeLessThan(200)
        await rig()
          .at('host')
          .call({ call: 'hangUp', flow: `${address} 3` })
        const visit = async () => (await rig().at('c1').visit(tcp(address, 80))).error
        await expect.poll(visit, { interval: 1 }).toBeUndefined()
      },
    )

    it('is raised and lifted under open connections', async () => {
      const address = await serve({ connectionLimit: 1 }, [[c3[4], 8080]])
      await serversOfOpen(rig(), address, 1)
      expect((await rig().at('c1').visit(tcp(address, 80))).error).toBe('ECONNREFUSED')
      await put(address, { connectionLimit: 2 }, [[c3[4], 8080]])
      expect((await rig().at('c1').visit(tcp(address, 80))).error).toBeUndefined()
      await put(address, {}, [[c3[4], 8080]])
      expect((await rig().at('c1').visits(tcp(address, 80), 40)).errors).toEqual({})
    })
  })
})

type PutParameters = readonly [
  address: string,
  options: VipOptions,
  backends: readonly BackendInBrief[],
  protocol?: 'tcp' | 'udp',
]

/** Opens connections that stay, one after another, and counts who serves them. */
async function serversOfOpen(rig: Rig, address: string, count: number): Promise<Tally['servers']> {
  const servers: Record<string, number> = {}
  for (let index = 0; index < count; index++) {
    const flow = `${address} ${index}`
    await rig.at('host').call({ call: 'open', flow, ...tcp(address, 80) })
    const { server } = await rig.at('host').say(flow)
    servers[server] = (servers[server] ?? 0) + 1
  }
  return Object.fromEntries(Object.entries(servers).sort())
}

/** The one server that 30 visits from a place meet. */
async function only(
  rig: Rig,
  site: (typeof SITES)[number] | 'host',
  vip: string | Destination,
): Promise<string | undefined> {
  const to = typeof vip === 'string' ? tcp(vip, 80) : vip
  const { servers, errors } = await rig.at(site).visits(to, 30)
  expect(errors).toEqual({})
  expect(Object.keys(servers)).toHaveLength(1)
  return Object.keys(servers)[0]
}

/** Makes all clients have been silent since the machine started. */
async function forgetClients({ places }: Rig): Promise<void> {
  const map = await openPinnedMap(`${places.pinDirectory}/${LAYOUT_VERSION}/affinities`)
  const { keys, values } = await map.dump()
  for (let at = 24; at < values.length; at += 32) values.fill(0, at, at + 8)
  await map.update(keys, values)
  map.close()
}

function expectNear(count: number | undefined, wanted: number, tolerance: number): void {
  expect(Math.abs((count ?? 0) - wanted)).toBeLessThanOrEqual(tolerance)
}
