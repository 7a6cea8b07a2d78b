import { describe, expect, it } from 'vitest'
import type { Service } from '../../src/model/vip.ts'
import { ADDRESSES, BRIDGE, type Site, UPLINK } from './network.ts'
import { type ClientSite, service } from './rig.ts'
import { SILENCE_MS, type Target, type Transport } from './traffic.ts'
import { useRig } from './use-rig.ts'

/** How a client writes a VIP's address, and which family its backends have. */
const SPELLINGS = [
  { spelling: 'v4', family: 4, prefix: '' },
  { spelling: 'v6', family: 6, prefix: '' },
  { spelling: 'v4-mapped v6', family: 4, prefix: '::ffff:' },
] as const

const TRANSPORTS: readonly Transport[] = ['tcp', 'udp connected', 'udp unconnected']

const CLIENTS: readonly Site[] = ['host', 'c1', 'c2']

/** A VIP per place of its one backend. `c1` to `c1` is a backend that is its own client. */
const VIPS = {
  c1: { address: { 4: '11.0.0.1', 6: 'fd01:c::1' }, where: 'a container of the same host' },
  remote: { address: { 4: '11.0.0.2', 6: 'fd01:c::2' }, where: 'the remote host' },
  host: { address: { 4: '11.0.0.3', 6: 'fd01:c::3' }, where: 'a process of the host' },
} as const

type BackendSite = keyof typeof VIPS
const BACKENDS = Object.keys(VIPS) as BackendSite[]

const VIP_PORT = 80
const BACKEND_PORT = 8080

const CELLS = TRANSPORTS.flatMap((transport) =>
  SPELLINGS.flatMap((spelling) =>
    CLIENTS.flatMap((client) =>
      BACKENDS.map((backend) => ({ transport, ...spelling, client, backend })),
    ),
  ),
)
type Cell = (typeof CELLS)[number]

const VARIANTS = [
  { kind: 'ebpf', seesBridged: false, network: 'a bridge' },
  { kind: 'nftables', seesBridged: false, network: 'a bridge' },
  { kind: 'nftables', seesBridged: true, network: 'a bridge with bridge-nf-call-iptables' },
  { kind: 'ipvs', seesBridged: false, network: 'a bridge' },
  { kind: 'ipvs', seesBridged: true, network: 'a bridge with bridge-nf-call-iptables' },
] as const
type Variant = (typeof VARIANTS)[number]

describe.each(VARIANTS)('the $kind plane on $network', (variant) => {
  const { kind } = variant
  const rig = useRig(variant, async (opened) => {
    for (const site of BACKENDS) await opened.serve(site, BACKEND_PORT)
    await opened.put(...vips())
  })

  it.each(CELLS)(
    'serves $transport $spelling from $client to a backend on $backend',
    async (cell) => {
      const { transport, family, prefix, client, backend } = cell
      const vip = { address: `${prefix}${VIPS[backend].address[family]}`, port: VIP_PORT }
      const visit = await rig()
        .at(client)
        .visit({ transport, ...vip })
      const exchange = visit.exchange
      expect(visit.error, 'error').toBeUndefined()
      expect(exchange?.server).toBe(`${backend}:${BACKEND_PORT}`)
      expect(exchange?.source, 'the answer comes from the VIP').toEqual(vip)
      const peer = transport === 'udp unconnected' ? undefined : vip
      expect(exchange?.peer, 'getpeername shows the VIP').toEqual(peer)
      const expected =
        kind === 'ebpf' ? await clientAsSeenDirectly(cell) : clientBehindNat(variant, cell)
      expect(exchange?.client.address, 'client as the backend sees it').toBe(expected)
    },
  )

  /** `ebpf` keeps what a direct connection would show. */
  async function clientAsSeenDirectly({ transport, family, prefix, client, backend }: Cell) {
    const address = `${prefix}${ADDRESSES[backend][family]}`
    const { exchange } = await rig().at(client).visit({ transport, address, port: BACKEND_PORT })
    expect(exchange?.source).toEqual({ address, port: BACKEND_PORT })
    return exchange?.client.address
  }

  describe('for processes that are not in the cgroup of the host', () => {
    const outsiders = [
      { client: 'outsider', who: 'a process in a container' },
      { client: 'remote', who: 'another host, forwarded through this one' },
    ] as const
    const cells = outsiders.flatMap((outsider) =>
      BACKENDS.flatMap((backend) =>
        TRANSPORTS.flatMap((transport) =>
          ([4, 6] as const).map((family) => ({ ...outsider, backend, transport, family })),
        ),
      ),
    )

    if (kind !== 'ebpf')
      it.each(cells)(
        'serves $transport v$family from $who to a backend on $backend',
        async ({ client, backend, transport, family }) => {
          const vip = { address: VIPS[backend].address[family], port: VIP_PORT }
          const { exchange, error } = await rig()
            .at(client)
            .visit({ transport, ...vip })
          expect(error).toBeUndefined()
          expect(exchange?.server).toBe(`${backend}:${BACKEND_PORT}`)
          expect(exchange?.source).toEqual(vip)
          expect(exchange?.client.address).toBe(
            clientBehindNat(variant, { client, backend, family }),
          )
        },
      )

    // By design: the programs run where a process of the cgroup connects, never on packets.
    if (kind === 'ebpf')
      it.each(cells)(
        'leaves $transport v$family from $who to the routing table',
        async ({ client, backend, transport, family }) => {
          const vip: Target = { address: VIPS[backend].address[family], port: VIP_PORT }
          const { exchange, error } = await rig()
            .at(client)
            .visit({ transport, ...vip, timeoutMs: SILENCE_MS })
          expect(exchange).toBeUndefined()
          expect(error).toMatch(/ENETUNREACH|EHOSTUNREACH|ETIMEDOUT/)
        },
      )
  })
})

/**
 * nftables keeps the client's address but where an answer would go past the translation: there
 * the backend sees the host's address on the link on which the connection turns round. Netfilter
 * that sees bridged frames sees the answers too; then only a backend that is its own client must
 * not see itself; IPVS, which gets the packet locally, has no such difference. The host uses its
 * node address, which the route to the VIP block gives.
 */
function clientBehindNat(
  { kind, seesBridged }: Variant,
  { client, backend, family }: Path,
): string {
  const site = client === 'outsider' ? 'c2' : client
  const isSeen = seesBridged && kind === 'nftables'
  const turnsRound = site === backend || (backend === 'c1' && site === 'c2' && !isSeen)
  if (site !== 'host' && turnsRound) return (site === 'remote' ? UPLINK : BRIDGE)[family]
  return ADDRESSES[site][family]
}

interface Path {
  readonly client: ClientSite
  readonly backend: BackendSite
  readonly family: 4 | 6
}

function vips(): Service[] {
  return BACKENDS.flatMap((backend) =>
    ([4, 6] as const).flatMap((family) =>
      (['tcp', 'udp'] as const).map((protocol) =>
        service(
          protocol,
          [VIPS[backend].address[family], VIP_PORT],
          [[ADDRESSES[backend][family], BACKEND_PORT]],
        ),
      ),
    ),
  )
}
