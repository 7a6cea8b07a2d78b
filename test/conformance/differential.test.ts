/** Draws tables of services and connections, and compares each plane with the pure model. */
import { describe, expect, it } from 'vitest'
import { type Random, seededRandom } from '../../src/base/random.ts'
import type { ConntrackFlow } from '../../src/kernel/conntrack.ts'
import { openNamespace } from '../../src/kernel/namespace.ts'
import { judge, type VerdictGround } from '../../src/l4lb/services/verdict.ts'
import { contains } from '../../src/model/cidr.ts'
import {
  formatEndpoint,
  type Service,
  type ServiceAddress,
  type ServiceKey,
  serviceKeyOf,
} from '../../src/model/vip.ts'
import { ADDRESSES } from './network.ts'
import { ip, RANGES } from './open-plane.ts'
import { type BackendInBrief, PLANES, type Rig, service } from './rig.ts'
import type { Destination } from './traffic.ts'
import { useRig } from './use-rig.ts'

const SITES = ['c1', 'c2', 'c3', 'remote'] as const
const PORTS = [8080, 8081] as const
const SEED = Number(process.env['NAVSTAR_SEED'] ?? 20_261_120)
const TABLES = 12
const SERVICES_PER_TABLE = 6
/** Enough that a share that is wrong by a third shows, seldom enough by chance. */
const VISITS = 240

describe.each(PLANES)('the %s plane decides as the model does', (kind) => {
  const rig = useRig({ kind }, async (opened) => {
    for (const site of SITES) await opened.serve(site, ...PORTS)
  })

  it.each(Array.from({ length: TABLES }, (_, index) => SEED + index))(
    'with the table of seed %i',
    async (seed) => {
      const random = seededRandom(seed)
      const table = drawTable(random, kind === 'ipvs' ? seed % 256 : 0)
      await rig().put(...table.values())
      for (const attempt of drawAttempts(random, table)) await compare(rig(), attempt, table)
      await rig().remove(...table.values())
      if (kind === 'nftables') await expectNoFlows(rig(), table)
    },
  )
})

type Table = ReadonlyMap<ServiceKey, Service>

interface DrawnAttempt {
  readonly to: ServiceAddress
  readonly transport: Destination['transport']
  readonly client: 'host' | 'c1' | 'c3'
}

async function compare(rig: Rig, { to, transport, client }: DrawnAttempt, table: Table) {
  const verdict = judge(to, groundOf(table))
  const what = `${transport} from ${client} to ${serviceKeyOf(to)}`
  const destination = { transport, address: to.address, port: to.port }
  if (verdict.kind !== 'balanced') {
    const { exchange, error } = await rig.at(client).visit({ ...destination, timeoutMs: 300 })
    expect(exchange, `${what}: ${verdict.kind}`).toBeUndefined()
    expect(error, what).toBeDefined()
    return
  }
  const { servers, errors } = await rig.at(client).visits(destination, VISITS)
  expect(errors, what).toEqual({})
  const expected = new Map([...verdict.shares].map(([at, share]) => [serverAt(at), share]))
  expect([...expected.keys()], what).toEqual(expect.arrayContaining(Object.keys(servers)))
  for (const [server, share] of expected) {
    // Five standard deviations: one draw in some million is farther off.
    const spread = 5 * Math.sqrt(VISITS * share * (1 - share))
    expect(Math.abs((servers[server] ?? 0) - VISITS * share), `${what}: ${server}`).toBeLessThan(
      spread + 1,
    )
  }
}

function groundOf(table: Table): VerdictGround {
  return {
    serviceAt: (address) => table.get(serviceKeyOf(address)),
    isInRange: (address) => RANGES.some((range) => contains(range, address)),
  }
}

/** Few addresses and ports, so that services meet: one address with several ports and protocols. */
function drawTable(random: Random, number: number): Table {
  const table = new Map<ServiceKey, Service>()
  for (let index = 0; index < SERVICES_PER_TABLE; index++) {
    const family = pick(random, [4, 6] as const)
    const drawn = service(
      pick(random, ['tcp', 'udp'] as const),
      [addressOf(random, { family, number }), pick(random, [80, 81])],
      drawBackends(random, family),
    )
    table.set(serviceKeyOf(drawn), drawn)
  }
  return table
}

/** None, one, or several; a few drain; a few weigh more. */
function drawBackends(random: Random, family: 4 | 6): BackendInBrief[] {
  const all = SITES.flatMap((site) => PORTS.map((port) => [ADDRESSES[site][family], port] as const))
  return all
    .filter(() => random.next() < 0.35)
    .map(([address, port]): BackendInBrief => [address, port, pick(random, [1, 1, 1, 0, 2, 3])])
    .sort()
}

function drawAttempts(random: Random, table: Table): DrawnAttempt[] {
  const near = [...table.values()]
  const missing = near.slice(0, 2).map((each) => {
    return { ...each, protocol: each.protocol === 'tcp' ? ('udp' as const) : ('tcp' as const) }
  })
  return [...near, ...missing].map((to) => ({
    to,
    transport:
      to.protocol === 'tcp' ? 'tcp' : pick(random, ['udp connected', 'udp unconnected'] as const),
    client: pick(random, ['host', 'c1', 'c3'] as const),
  }))
}

/** No flow of UDP outlives its service: the next table may have the same one with other backends. */
async function expectNoFlows(rig: Rig, table: Table): Promise<void> {
  const namespace = await openNamespace(rig.places.namespacePath('host'))
  const flows = [...table.values()].map(({ address, port }): ConntrackFlow => {
    return { protocol: 'udp', originalDestination: { address, port } }
  })
  const left = async () => {
    const entries = await namespace.conntrack.entries(flows)
    return entries.filter(({ original, reply }) => {
      return original.destination.address !== reply.source.address
    })
  }
  await expect.poll(left, { interval: 2, timeout: 2_000 }).toEqual([])
  namespace.close()
}

/** IPVS has addresses of its own for each table: its flows of UDP end when the next packet comes. */
function addressOf(
  random: Random,
  { family, number }: { readonly family: 4 | 6; readonly number: number },
): string {
  const last = 1 + Math.floor(random.next() * 3)
  return family === 4 ? `11.7.${number}.${last}` : `fd01:c::7:${number.toString(16)}:${last}`
}

/** `172.30.0.11:8080` → `c1:8080`. */
function serverAt(endpoint: string): string {
  for (const site of SITES) {
    for (const address of Object.values(ADDRESSES[site])) {
      for (const port of PORTS) {
        const text = formatEndpoint({ address: ip(address), port })
        if (text === endpoint) return `${site}:${port}`
      }
    }
  }
  throw new Error(`no server at ${endpoint}`)
}

function pick<T>(random: Random, all: readonly T[]): T {
  const drawn = all[Math.floor(random.next() * all.length)]
  if (drawn === undefined) throw new Error('nothing to draw from')
  return drawn
}
