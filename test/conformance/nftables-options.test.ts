import { describe, expect, it } from 'vitest'
import type { Service } from '../../src/model/vip.ts'
import type { VipOptions } from '../../src/model/vip-options.ts'
import { inHost } from './damage.ts'
import { ADDRESSES } from './network.ts'
import { type BackendInBrief, type ClientSite, service, tcp, udp } from './rig.ts'
import type { Destination, Tally } from './traffic.ts'
import { useRig } from './use-rig.ts'

const SITES = ['c1', 'c2', 'c3'] as const
const { c1, c2, c3 } = ADDRESSES
const CLIENTS: readonly ClientSite[] = [...SITES, 'host', 'remote']

function all(family: 4 | 6): BackendInBrief[] {
  return SITES.map((site) => [ADDRESSES[site][family], 8080])
}

describe('the nftables plane', () => {
  const rig = useRig({ kind: 'nftables' }, async (opened) => {
    for (const site of SITES) await opened.serve(site, 8080)
  })

  async function put(served: Service): Promise<void> {
    expect(rig().plane.unsupported(served)).toEqual([])
    await rig().put(served)
    expect(await rig().plan(), 'what was written is read back').toEqual([])
    const fresh = await rig().openPlane()
    expect(await rig().plan(fresh), 'also by another daemon').toEqual([])
    await fresh.close()
  }

  function serve(
    protocol: 'tcp' | 'udp',
    [address, options]: readonly [string, VipOptions],
    backends: readonly BackendInBrief[] = all(address.includes(':') ? 6 : 4),
  ): Promise<void> {
    return put({ ...service(protocol, [address, 80], backends), options })
  }

  const visits = (client: ClientSite, to: Destination, count: number): Promise<Tally> =>
    rig().at(client).visits(to, count)

  async function only(client: ClientSite, to: Destination): Promise<string> {
    const { servers, errors } = await visits(client, to, 20)
    expect(errors).toEqual({})
    expect(Object.keys(servers), client).toHaveLength(1)
    return Object.keys(servers)[0] ?? ''
  }

  describe('by turns', () => {
    it.each([
      { what: 'tcp v4', protocol: 'tcp', address: '11.8.0.1', to: tcp('11.8.0.1', 80) },
      { what: 'udp v6', protocol: 'udp', address: 'fd01:c::81', to: udp('fd01:c::81', 80, false) },
    ] as const)('gives each backend the same number: $what', async ({ protocol, address, to }) => {
      await serve(protocol, [address, { algorithm: 'rr' }])
      const { servers, errors } = await visits('host', to, 300)
      expect(errors).toEqual({})
      // A socket of UDP that gets the port of one before takes no turn: its flow is known still.
      const tolerance = protocol === 'udp' ? 10 : 0
      expect(Object.keys(servers).sort()).toEqual(SITES.map((site) => `${site}:8080`))
      for (const count of Object.values(servers)) {
        expect(Math.abs(count - 100)).toBeLessThanOrEqual(tolerance)
      }
    })

    it('gives by weight', async () => {
      await serve(
        'tcp',
        ['11.8.0.2', { algorithm: 'rr' }],
        [
          [c1[4], 8080, 3],
          [c2[4], 8080, 1],
        ],
      )
      const { servers } = await visits('host', tcp('11.8.0.2', 80), 200)
      expect(servers).toEqual({ 'c1:8080': 150, 'c2:8080': 50 })
    })

    it('of two VIPs that are visited alternately, each has its own', async () => {
      const addresses = ['11.8.0.3', '11.8.0.4', '11.8.0.5'] as const
      for (const address of addresses) await serve('tcp', [address, { algorithm: 'rr' }])
      const seen = new Map<string, Set<string>>()
      for (let turn = 0; turn < 6; turn++) {
        for (const address of addresses) {
          const { exchange } = await rig().at('host').visit(tcp(address, 80))
          const servers = seen.get(address) ?? new Set()
          seen.set(address, servers.add(exchange?.server ?? 'nobody'))
        }
      }
      for (const address of addresses) expect(seen.get(address)?.size, address).toBe(SITES.length)
    })
  })

  describe('by the address of the client', () => {
    const cells = [
      { what: 'maglev, tcp v4', options: { algorithm: 'maglev' }, to: tcp('11.8.1.1', 80) },
      { what: 'maglev, tcp v6', options: { algorithm: 'maglev' }, to: tcp('fd01:c::811', 80) },
      {
        what: 'affinity, udp v4',
        options: { affinitySeconds: 60 },
        to: udp('11.8.1.2', 80, false),
      },
    ] as const satisfies readonly { what: string; options: VipOptions; to: Destination }[]

    it.each(cells)('gives one backend to each: $what', async ({ options, to }) => {
      await serve(to.transport === 'tcp' ? 'tcp' : 'udp', [to.address, options])
      for (const client of CLIENTS) await only(client, to)
    })

    it.each(cells)('keeps it while another comes and goes: $what', async ({ options, to }) => {
      const protocol = to.transport === 'tcp' ? 'tcp' : 'udp'
      const backends = all(to.address.includes(':') ? 6 : 4)
      await serve(protocol, [to.address, options], backends)
      const kept = await only('c1', to)
      const isKept = (_: BackendInBrief, at: number) => `${SITES[at]}:8080` === kept
      const spare = backends.findIndex((backend, at) => !isKept(backend, at))
      await serve(
        protocol,
        [to.address, options],
        backends.filter((_, at) => at !== spare),
      )
      expect(await only('c1', to)).toBe(kept)
      await serve(protocol, [to.address, options], backends)
      expect(await only('c1', to)).toBe(kept)
    })

    it('gives a draining backend nobody', async () => {
      const to = tcp('11.8.1.3', 80)
      const options = { affinitySeconds: 60 }
      await serve('tcp', [to.address, options])
      const first = await only('c1', to)
      const drained = all(4).map(
        ([ip, port], at): BackendInBrief => [ip, port, first === `${SITES[at]}:8080` ? 0 : 1],
      )
      await serve('tcp', [to.address, options], drained)
      expect(await only('c1', to)).not.toBe(first)
    })
  })

  it('is listed by nft with every option', async () => {
    await serve(
      'tcp',
      ['11.8.2.1', { algorithm: 'rr', drain: 7 }],
      [
        [c1[4], 8080],
        [c2[4], 8080],
        [c3[4], 8080, 0],
      ],
    )
    await serve('tcp', ['fd01:c::821', { algorithm: 'maglev', drain: 'reset' }])
    const listed = await inHost(rig(), 'nft', 'list', 'table', 'inet', 'navstar')
    expect(listed).toContain('numgen inc mod 2')
    expect(listed).toContain('jhash ip6 saddr mod 64')
    expect(listed).toContain('11.8.2.1 . tcp . 80 . 172.30.0.13 . 8080')
    expect(listed).toMatch(/11\.8\.2\.1 \. tcp \. 80 : 0x0*7\b/)
  })

  it.each([
    { options: { algorithm: 'least-conn' }, name: 'algorithm' },
    { options: { algorithm: 'p2c-ewma' }, name: 'algorithm' },
    { options: { algorithm: 'rr', affinitySeconds: 5 }, name: 'algorithm' },
    { options: { connectionLimit: 5 }, name: 'connectionLimit' },
  ] as const)('refuses aloud: $options', ({ options, name }) => {
    const served = { ...service('tcp', ['11.8.3.1', 80], all(4)), options }
    expect(
      rig()
        .plane.unsupported(served)
        .map((each) => each.name),
    ).toEqual([name])
  })
})
