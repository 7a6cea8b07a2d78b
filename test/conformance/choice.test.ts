import { describe, expect, it } from 'vitest'
import type { PlaneKind } from '../../src/l4lb/plane.ts'
import { ADDRESSES, ELSEWHERE } from './network.ts'
import { type BackendInBrief, PLANES, type Rig, service, tcp, udp } from './rig.ts'
import { type Destination, SILENCE_MS, type Tally } from './traffic.ts'
import { useRig } from './use-rig.ts'

const { c1, c2, c3, remote, host } = ADDRESSES

/** No answer needs longer when nobody has to wait for anything. */
const AT_ONCE_MS = 200

const CONTAINERS = ['c1', 'c2', 'c3'] as const
const NAMES = CONTAINERS.map((site) => `${site}:8080`)

describe.each(PLANES)('the %s plane', (kind) => {
  const rig = useRig({ kind }, async (opened) => {
    for (const site of CONTAINERS) await opened.serve(site, 8080)
    await opened.serve('remote', 8080, 9090)
    await opened.serve('host', 8888)
    for (const address of [ELSEWHERE[4], ELSEWHERE[6]]) {
      await opened.serveAt('remote', { address, port: 8888 })
    }
  })

  describe('spreads', () => {
    const three = (family: 4 | 6): BackendInBrief[] =>
      CONTAINERS.map((site) => [ADDRESSES[site][family], 8080])

    it.each([
      { what: 'tcp v4', protocol: 'tcp', to: tcp('11.1.0.1', 80), family: 4 },
      { what: 'tcp v6', protocol: 'tcp', to: tcp('fd01:c::101', 80), family: 6 },
      { what: 'udp v4', protocol: 'udp', to: udp('11.1.0.1', 80), family: 4 },
      { what: 'udp v6 unconnected', protocol: 'udp', to: udp('fd01:c::101', 80, false), family: 6 },
    ] as const)('600 connections over 3 backends: $what', async ({ protocol, to, family }) => {
      await rig().put(service(protocol, [to.address, to.port], three(family)))
      const tally = await rig().at('host').visits(to, 600)
      expect(tally.errors).toEqual({})
      expect(Object.keys(tally.servers).sort()).toEqual(NAMES)
      for (const count of Object.values(tally.servers)) expectWithin(count, 120, 282)
    })

    it('by weight, 3 to 1', async () => {
      const backends: BackendInBrief[] = [
        [c1[4], 8080, 3],
        [c2[4], 8080, 1],
      ]
      await rig().put(service('tcp', ['11.1.0.2', 80], backends))
      const tally = await rig().at('c3').visits(tcp('11.1.0.2', 80), 600)
      expect(tally.errors).toEqual({})
      expectWithin(tally.servers['c1:8080'], 390, 510)
      expect(sum(tally)).toBe(600)
    })

    it('over 64 backends, every one of them', async () => {
      const ports = Array.from({ length: 64 }, (_, index) => 20_000 + index)
      await rig().serve('remote', ...ports)
      const backends = ports.map((port): BackendInBrief => [remote[4], port])
      await rig().put(service('tcp', ['11.1.0.3', 80], backends))
      const tally = await rig().at('c1').visits(tcp('11.1.0.3', 80), 1200)
      expect(tally.errors).toEqual({})
      expect(Object.keys(tally.servers).length).toBe(64)
    })
  })

  describe('refuses at once', () => {
    const refused = [
      { what: 'a VIP without backends', v4: ['11.1.1.1', 80], v6: ['fd01:c::111', 80] },
      { what: 'a VIP whose only backend drains', v4: ['11.1.1.2', 80], v6: ['fd01:c::112', 80] },
      { what: 'a port of a VIP that is no service', v4: ['11.1.1.1', 81], v6: ['fd01:c::111', 81] },
      {
        what: 'an address of the block that is no VIP',
        v4: ['11.9.9.9', 80],
        v6: ['fd01:c::9', 80],
      },
    ] as const
    const cells = refused.flatMap(({ what, v4, v6 }) =>
      (['host', 'c1'] as const).flatMap((client) =>
        [v4, v6, [`::ffff:${v4[0]}`, v4[1]] as const].flatMap(([address, port]) =>
          [tcp(address, port), udp(address, port), udp(address, port, false)].map((to) => ({
            what,
            client,
            to,
          })),
        ),
      ),
    )

    it.each(cells)('$to.transport to $what ($to.address) from $client', async ({ client, to }) => {
      await putEmpty(rig())
      const expected = kind === 'ebpf' ? 'ECONNREFUSED' : refusalOfPackets(kind, client, to)
      const timeout = expected === 'ETIMEDOUT' ? { timeoutMs: SILENCE_MS } : {}
      const { error, durationMs } = await rig()
        .at(client)
        .visit({ ...to, ...timeout })
      expect(error).toBe(expected)
      if (expected !== 'ETIMEDOUT') expect(durationMs).toBeLessThan(AT_ONCE_MS)
    })
  })

  describe('leaves alone', () => {
    it.each([
      { what: 'an address outside the blocks', to: tcp(ELSEWHERE[4], 8888), server: 'remote:8888' },
      { what: 'the same of v6', to: tcp(ELSEWHERE[6], 8888), server: 'remote:8888' },
      { what: 'a datagram to it', to: udp(ELSEWHERE[4], 8888), server: 'remote:8888' },
      { what: 'a backend itself', to: tcp(c1[4], 8080), server: 'c1:8080' },
      { what: 'a datagram to a backend itself', to: udp(c1[6], 8080, false), server: 'c1:8080' },
      {
        what: 'a port of the host that a VIP has too',
        to: tcp(host[4], 8888),
        server: 'host:8888',
      },
      { what: 'the same with datagrams', to: udp(host[6], 8888), server: 'host:8888' },
    ])('$what', async ({ to, server }) => {
      await rig().put(
        service('tcp', ['11.1.2.1', 8888], [[c1[4], 8080]]),
        service('udp', ['11.1.2.1', 8888], [[c1[4], 8080]]),
        service('tcp', ['fd01:c::121', 8888], [[c1[6], 8080]]),
      )
      for (const client of ['host', 'c2'] as const) {
        const { exchange } = await rig().at(client).visit(to)
        expect(exchange?.server).toBe(server)
        expect(exchange?.source).toEqual({ address: to.address, port: to.port })
        const vip = await rig().at(client).visit(tcp('11.1.2.1', 8888))
        expect(vip.exchange?.server).toBe('c1:8080')
      }
    })
  })

  describe('serves', () => {
    it.each([
      { what: 'v4', address: '192.0.2.80', backend: c1[4] },
      { what: 'v6', address: '2001:db8::80', backend: c1[6] },
    ])('a literal VIP outside the blocks, $what', async ({ address, backend }) => {
      for (const protocol of ['tcp', 'udp'] as const) {
        await rig().put(service(protocol, [address, 80], [[backend, 8080]]))
      }
      for (const to of [tcp(address, 80), udp(address, 80), udp(address, 80, false)]) {
        for (const client of ['host', 'c2'] as const) {
          expect(await serverOf(rig(), client, to)).toBe('c1:8080')
        }
      }
    })

    it('tcp and udp of one address and port on their own', async () => {
      await rig().put(service('tcp', ['11.1.3.1', 80], [[c1[4], 8080]]))
      expect((await rig().at('c2').visit(udp('11.1.3.1', 80))).error).toBe('ECONNREFUSED')
      await rig().put(service('udp', ['11.1.3.1', 80], [[c3[4], 8080]]))
      expect(await serverOf(rig(), 'c2', tcp('11.1.3.1', 80))).toBe('c1:8080')
      expect(await serverOf(rig(), 'c2', udp('11.1.3.1', 80))).toBe('c3:8080')
      await rig().remove(service('tcp', ['11.1.3.1', 80], []))
      expect((await rig().at('c2').visit(tcp('11.1.3.1', 80))).error).toBe('ECONNREFUSED')
      expect(await serverOf(rig(), 'c2', udp('11.1.3.1', 80))).toBe('c3:8080')
    })

    it('a backend behind two VIPs, under the name of each', async () => {
      const [first, second] = [tcp('11.1.4.1', 80), tcp('11.1.4.2', 81)]
      for (const { address, port } of [first, second]) {
        await rig().put(service('tcp', [address, port], [[remote[4], 9090]]))
        await rig().put(service('udp', [address, port], [[remote[4], 9090]]))
      }
      for (const to of [first, second, udp('11.1.4.1', 80, false), udp('11.1.4.2', 81, false)]) {
        const { exchange } = await rig().at('c1').visit(to)
        expect(exchange?.source).toEqual({ address: to.address, port: to.port })
      }
      const many = [first, second].map((to) => rig().at('c1').visits(to, 500))
      for (const tally of await Promise.all(many))
        expect(tally.servers).toEqual({ 'remote:9090': 500 })
    })
  })
})

/**
 * What planes that translate packets can tell a client. By design of the kernel, send() of a
 * datagram that is rejected on its way out of the host itself fails with EPERM, and the ICMP error
 * that comes back is only for connected sockets. To IPVS, what is no service is a local address.
 */
function refusalOfPackets(
  kind: PlaneKind,
  client: 'host' | 'c1',
  { transport, address, port }: Destination,
): string {
  const isService = port === 80 && /^(::ffff:)?(11.1.1.[12]|fd01:c::11[12])$/.test(address)
  if (transport === 'tcp') return 'ECONNREFUSED'
  if (client === 'host' && (kind === 'nftables' || isService)) return 'EPERM'
  return transport === 'udp connected' ? 'ECONNREFUSED' : 'ETIMEDOUT'
}

async function putEmpty(rig: Rig): Promise<void> {
  for (const protocol of ['tcp', 'udp'] as const) {
    await rig.put(
      service(protocol, ['11.1.1.1', 80], []),
      service(protocol, ['fd01:c::111', 80], []),
      service(protocol, ['11.1.1.2', 80], [[c1[4], 8080, 0]]),
      service(protocol, ['fd01:c::112', 80], [[c1[6], 8080, 0]]),
    )
  }
}

async function serverOf(rig: Rig, client: 'host' | 'c2', to: Destination) {
  const { exchange, error } = await rig.at(client).visit(to)
  return exchange?.server ?? error
}

function sum({ servers }: Tally): number {
  return Object.values(servers).reduce((total, count) => total + count, 0)
}

function expectWithin(count: number | undefined, least: number, most: number): void {
  expect(count).toBeGreaterThanOrEqual(least)
  expect(count).toBeLessThanOrEqual(most)
}
