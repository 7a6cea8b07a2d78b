import { describe, expect, it } from 'vitest'
import type { Service } from '../../src/model/vip.ts'
import { ADDRESSES } from './network.ts'
import { type BackendInBrief, PLANES, type Rig, service, tcp, udp } from './rig.ts'
import type { Destination } from './traffic.ts'
import { useRig } from './use-rig.ts'

const SITES = ['c1', 'c2', 'c3'] as const

/** Visits that a flood makes before and after each change. */
const VISITS_PER_CHANGE = 60

describe.each(PLANES)('the %s plane', (kind) => {
  const rig = useRig({ kind }, async (opened) => {
    for (const site of SITES) await opened.serve(site, 8080, 8081, 8082, 8083)
  })

  describe('with a backend of weight 0', () => {
    it('keeps an open TCP connection and gives it no new one', async () => {
      const vip = tcp('11.2.0.1', 80)
      const { kept, drained, other } = await openAndDrain(rig(), vip)
      const tally = await rig().at('host').visits(vip, 200)
      expect(tally).toEqual({ servers: { [other]: 200 }, errors: {} })
      expect((await rig().at('host').say(kept)).server).toBe(drained)
    })

    it.each([
      { what: 'connected', isConnected: true, address: '11.2.0.2' },
      { what: 'unconnected', isConnected: false, address: '11.2.0.3' },
      { what: 'connected v6', isConnected: true, address: 'fd01:c::202' },
      { what: 'unconnected v6', isConnected: false, address: 'fd01:c::203' },
    ])('keeps a UDP flow and gives it no new one: $what', async ({ isConnected, address }) => {
      const vip = udp(address, 80, isConnected)
      const { kept, drained, other } = await openAndDrain(rig(), vip)
      const tally = await rig().at('host').visits(vip, 200)
      expect(tally).toEqual({ servers: { [other]: 200 }, errors: {} })
      const { server, source } = await rig().at('host').say(kept)
      expect(server).toBe(drained)
      expect(source).toEqual({ address, port: 80 })
    })
  })

  it('gives a removed backend no new connection, and leaves the open ones', async () => {
    const vip = tcp('11.2.1.1', 80)
    const { kept, drained, other } = await openAndDrain(rig(), vip)
    await rig().put(serviceOf(vip, [backendOf(other, vip)]))
    const tally = await rig().at('host').visits(vip, 100)
    expect(tally).toEqual({ servers: { [other]: 100 }, errors: {} })
    expect((await rig().at('host').say(kept)).server).toBe(drained)
  })

  it('moves the flow of an unconnected UDP socket from a removed backend', async () => {
    const vip = udp('11.2.1.2', 80, false)
    const { kept, other } = await openAndDrain(rig(), vip)
    await rig().put(serviceOf(vip, [backendOf(other, vip)]))
    expect(await rig().at('host').visits(vip, 100)).toEqual({
      servers: { [other]: 100 },
      errors: {},
    })
    const server = async () => (await rig().at('host').say(kept)).server
    await expect.poll(server, { interval: 1, timeout: 1_000 }).toBe(other)
  })

  it.each([
    { what: 'tcp v4', vip: tcp('11.2.2.1', 80), client: 'host' },
    { what: 'tcp v6 from a container', vip: tcp('fd01:c::221', 80), client: 'c2' },
    // Not connected: such sockets end with their backend, by design.
    { what: 'udp v4', vip: udp('11.2.2.1', 80, false), client: 'host' },
  ] as const)('loses no connection while backends change: $what', async ({ vip, client }) => {
    const pool = SITES.flatMap((site) => [8080, 8081, 8082, 8083].map((port) => `${site}:${port}`))
    const choices = Array.from({ length: 24 }, (_, turn) =>
      pool.filter((_, index) => (index * 7 + turn * 5) % 12 <= turn % 9),
    )
    await rig().put(serviceOf(vip, [backendOf('c1:8080', vip)]))
    const agent = rig().at(client)
    await agent.flood(vip)
    for (const names of choices) {
      await rig().put(
        serviceOf(
          vip,
          names.map((name) => backendOf(name, vip)),
        ),
      )
      const before = await agent.floodCount()
      const isUsed = async () => (await agent.floodCount()) - before >= VISITS_PER_CHANGE
      await expect.poll(isUsed, { interval: 1, timeout: 5_000 }).toBe(true)
    }
    const { servers, errors } = await agent.endFlood()
    // By design: IPVS drops a datagram that finds its flow's backend gone before the flow itself is.
    const { EPERM: dropped = 0, ...others } = errors
    expect(others).toEqual({})
    expect(dropped).toBeLessThanOrEqual(
      kind === 'ipvs' && vip.transport !== 'tcp' ? choices.length : 0,
    )
    const used = Object.keys(servers)
    expect(used.length, 'backends that were used').toBe(pool.length)
  })
})

interface Drained {
  /** A flow that stays open to the backend that drains. */
  readonly kept: string
  /** The server with weight 0. */
  readonly drained: string
  /** The server that is left. */
  readonly other: string
}

/** Opens a flow to one of two backends, whichever it is, and gives that one the weight 0. */
async function openAndDrain(rig: Rig, vip: Destination): Promise<Drained> {
  const names = ['c1:8080', 'c2:8080']
  await rig.put(
    serviceOf(
      vip,
      names.map((name) => backendOf(name, vip)),
    ),
  )
  const kept = `kept ${vip.transport} ${vip.address}`
  await rig.at('host').call({ call: 'open', flow: kept, ...vip })
  const { server: drained } = await rig.at('host').say(kept)
  const other = drained === 'c1:8080' ? 'c2:8080' : 'c1:8080'
  await rig.put(serviceOf(vip, [[...backendOf(drained, vip), 0], backendOf(other, vip)]))
  return { kept, drained, other }
}

function serviceOf(
  { transport, address, port }: Destination,
  backends: readonly BackendInBrief[],
): Service {
  const sorted = [...backends].sort((left, right) => `${left}`.localeCompare(`${right}`))
  return service(transport === 'tcp' ? 'tcp' : 'udp', [address, port], sorted)
}

/** `c1:8080` in the family of the VIP. */
function backendOf(name: string, { address }: Destination): [string, number] {
  const [site = '', port] = name.split(':')
  return [ADDRESSES[site as (typeof SITES)[number]][address.includes(':') ? 6 : 4], Number(port)]
}
