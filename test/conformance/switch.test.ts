import { beforeEach, describe, expect, it } from 'vitest'
import { run } from '../../src/demo/run.ts'
import { openNamespace } from '../../src/kernel/namespace.ts'
import type { Service } from '../../src/model/vip.ts'
import { requireFeature } from '../feature.ts'
import { ADDRESSES, type Site } from './network.ts'
import { ip } from './open-plane.ts'
import { type Rig, service, tcp, udp } from './rig.ts'
import { SwitchedRig, sweepAt } from './switching.ts'
import type { Destination, Tally } from './traffic.ts'
import { useRig } from './use-rig.ts'

/** `npm run soak -- --switches` asks for 50. */
const SWITCHES = Number(process.env['SWITCHES'] ?? 10)

const TIMEOUT_MS = 60_000 + SWITCHES * 3_000

const CLIENTS = ['host', 'c2'] as const
const BACKENDS = ['c1', 'c3', 'remote'] as const
const WEB = tcp('11.5.0.1', 80)

/** Flows that each client keeps open, half of them made by each plane. */
const GROUPS: Readonly<Record<string, { readonly to: Destination; readonly count: number }>> = {
  tcp: { to: WEB, count: 200 },
  tcp6: { to: tcp('fd01:c::501', 80), count: 50 },
  udp: { to: udp('11.5.0.1', 80), count: 25 },
  'udp unconnected': { to: udp('11.5.0.1', 80, false), count: 25 },
}
const PLANES = ['ebpf', 'nftables'] as const

describe('a plane that is switched', () => {
  const rig = useRig({ kind: 'ebpf' }, async (opened) => {
    for (const site of BACKENDS) await opened.serve(site, 8080)
  })
  let switched: SwitchedRig
  beforeEach(async (ctx) => {
    await requireFeature(ctx, 'nftables')
    switched ??= new SwitchedRig(rig())
    await switched.serve(...services())
  })

  const title = `breaks no open connection and fails no new one over ${SWITCHES} switches`
  it(title, { timeout: TIMEOUT_MS }, async () => {
    for (const plane of PLANES) {
      if (plane !== switched.plane.kind) await switched.switchTo(plane)
      await openFlows(rig(), plane)
    }
    const before = await talk(rig())
    for (const client of CLIENTS) await rig().at(client).flood(WEB)
    for (let count = 1; count <= SWITCHES; count++) {
      await switched.switchTo(count % 2 === 0 ? 'nftables' : 'ebpf')
      expect(await talk(rig()), `after switch ${count} to ${switched.plane.kind}`).toEqual(before)
    }
    for (const client of CLIENTS) {
      const { servers, errors } = await rig().at(client).endFlood()
      expect(errors, `new connections from ${client}`).toEqual({})
      expect(Object.keys(servers)).toHaveLength(BACKENDS.length)
    }
  })

  it.each(CLIENTS)('gives a new connection of %s no port that an open one has', async (client) => {
    const vip = tcp('11.5.0.9', 80)
    if (switched.plane.kind !== 'ebpf') await switched.switchTo('ebpf')
    await sweepAt('nftables', rig().places.paths) // so that nothing is tracked
    await switched.serve(service('tcp', [vip.address, vip.port], [[ADDRESSES.remote[4], 8080]]))
    const agent = rig().at(client)
    const flow = `idle ${client}`
    const localPort = 20_001
    await agent.call({ call: 'open', flow, ...vip, localPort })
    await agent.say(flow)
    const isIdle = () => isSilent(rig(), client, localPort)
    await expect.poll(isIdle, { interval: 10 }).toBe(true)
    await switched.switchTo('nftables')
    expect(await trackedPorts(rig()), 'tracked').toContain(localPort)
    // The kernel detaches programs a little later: until then both would be the same connection.
    const answer = async () => {
      const { exchange, error } = await agent.visit({ ...vip, localPort })
      return error ?? exchange?.server
    }
    let server: string | undefined
    const isDetached = async () => {
      server = await answer()
      return server !== 'EADDRNOTAVAIL'
    }
    await expect.poll(isDetached, { interval: 1 }).toBe(true)
    expect(server).toBe('remote:8080')
    expect((await agent.say(flow)).server).toBe('remote:8080')
  })
})

/** Whether nothing came on the connection for so long that its last acknowledgement is out too. */
async function isSilent(rig: Rig, client: Site, localPort: number): Promise<boolean> {
  const namespace = `--net=${rig.places.namespacePath(client)}`
  const shown = await run('nsenter', [namespace, 'ss', '-tniH', `sport = :${localPort}`])
  return Number(/lastrcv:(\d+)/.exec(shown)?.[1] ?? 0) > 100
}

/** Ports of clients whose connections to the remote backend are tracked as they are. */
async function trackedPorts(rig: Rig): Promise<number[]> {
  const namespace = await openNamespace(rig.places.namespacePath('host'))
  try {
    const originalDestination = { address: ip(ADDRESSES.remote[4]), port: 8080 }
    const flow = { protocol: 'tcp', originalDestination } as const
    const entries = await namespace.conntrack.entries([flow])
    return entries.map(({ original }) => original.source.port)
  } finally {
    namespace.close()
  }
}

function services(): Service[] {
  const on = (family: 4 | 6) =>
    BACKENDS.map((site): [string, number] => [ADDRESSES[site][family], 8080])
  return [
    service('tcp', ['11.5.0.1', 80], on(4)),
    service('udp', ['11.5.0.1', 80], on(4)),
    service('tcp', ['fd01:c::501', 80], on(6)),
  ]
}

/** Opens all groups from all clients. */
async function openFlows(rig: Rig, plane: string): Promise<void> {
  for (const client of CLIENTS) {
    for (const [group, { to, count }] of Object.entries(GROUPS)) {
      await rig.at(client).openMany(`${plane} ${group}`, count, to)
    }
  }
}

/**
 * An exchange on each open flow. @returns by client and group how many each server answered, and
 * which errors came; a socket without a connection may have another server each time
 */
async function talk(rig: Rig): Promise<Record<string, Tally>> {
  const tallies: Record<string, Tally> = {}
  for (const client of CLIENTS) {
    for (const group of PLANES.flatMap((plane) => groupsOf(plane))) {
      const { servers, errors } = await rig.at(client).sayAll(group)
      const total = Object.values(servers).reduce((sum, count) => sum + count, 0)
      const isConnected = !group.endsWith('unconnected')
      tallies[`${client} ${group}`] = { servers: isConnected ? servers : { any: total }, errors }
    }
  }
  return tallies
}

function groupsOf(plane: string): string[] {
  return Object.keys(GROUPS).map((group) => `${plane} ${group}`)
}
