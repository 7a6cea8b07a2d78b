import { describe, expect, it } from 'vitest'
import { run } from '../../src/demo/run.ts'
import { openPinnedMap } from '../../src/kernel/bpf.ts'
import type { BackendStatistics } from '../../src/l4lb/plane.ts'
import { LAYOUT_VERSION } from '../../src/l4lb/planes/ebpf/kernel.ts'
import { formatEndpoint, type Service, serviceKeyOf } from '../../src/model/vip.ts'
import { ADDRESSES } from './network.ts'
import { type Rig, service, tcp, udp } from './rig.ts'
import { useRig } from './use-rig.ts'

const { c1, c2, remote } = ADDRESSES

/** A port of the remote host whose packets are dropped: a SYN to it is never answered. */
const SILENT_PORT = 81
const SILENCE = `table inet silence { chain input { type filter hook input priority 0; tcp dport ${SILENT_PORT} drop; }; }`

describe('statistics of the ebpf plane', () => {
  const rig = useRig({ kind: 'ebpf' }, async (opened) => {
    for (const site of ['c1', 'c2'] as const) await opened.serve(site, 8080)
  })

  it.each([
    { what: 'v4', vip: '11.7.0.1', family: 4 },
    { what: 'v6', vip: 'fd01:c::701', family: 6 },
    { what: 'v4 of a v6 socket', vip: '11.7.0.2', to: '::ffff:11.7.0.2', family: 4 },
  ] as const)('count connections, times and bytes: $what', async ({ vip, family, ...rest }) => {
    const to = tcp('to' in rest ? rest.to : vip, 80)
    const backends = [c1, c2].map((site) => [site[family], 8080] as const)
    const served = service('tcp', [vip, 80], backends)
    await rig().put(served)
    expect((await rig().at('c2').visits(to, 100)).errors).toEqual({})
    await expect.poll(async () => sum(await rows(rig(), served), 'activeConnections')).toBe(0)
    const counted = await rows(rig(), served)
    expect(sum(counted, 'connections')).toBe(100)
    expect(sum(counted, 'failures')).toBe(0)
    expect(sum(counted, 'pendingConnections')).toBe(0)
    for (const { connections = 0, connectTimes = [], bytesFromBackend = 0 } of counted) {
      expect(connections).toBeGreaterThan(20)
      expect(connectTimes.reduce((total, count) => total + count)).toBe(connections)
      expect(bytesFromBackend).toBeGreaterThan(connections * 30) // a server's words
    }
  })

  it('count the bytes of a connection exactly', async () => {
    const served = service('tcp', ['11.7.0.3', 80], [[c1[4], 8080]])
    await rig().put(served)
    const client = rig().at('c2')
    await client.call({ call: 'open', flow: 'bytes', ...tcp('11.7.0.3', 80) })
    const words = [await client.say('bytes'), await client.say('bytes'), await client.say('bytes')]
    const [open] = await rows(rig(), served)
    expect(open).toMatchObject({ connections: 1, activeConnections: 1, bytesToBackend: 0 })
    await client.call({ call: 'hangUp', flow: 'bytes' })
    await expect.poll(async () => (await rows(rig(), served))[0]?.activeConnections).toBe(0)
    const [closed] = await rows(rig(), served)
    const said = ({ server, client: seen }: (typeof words)[number]) =>
      `${JSON.stringify({ server, client: seen })}\n`.length
    expect(closed?.bytesToBackend).toBe(2 * 'again\n'.length)
    const received = words.reduce((total, each) => total + said(each), 0)
    // Whether the end of the other side came is not told: it has a sequence number too.
    expect([received, received + 1]).toContain(closed?.bytesFromBackend)
  })

  it('count refused connections as failures', async () => {
    const served = service('tcp', ['11.7.1.1', 80], [[c1[4], 9]])
    await rig().put(served)
    const tally = await rig().at('c2').visits(tcp('11.7.1.1', 80), 20)
    expect(tally.errors).toEqual({ ECONNREFUSED: 20 })
    const [row] = await rows(rig(), served)
    expect(row).toMatchObject({ connections: 20, failures: 20, activeConnections: 0 })
    expect(row).toMatchObject({ pendingConnections: 0, bytesToBackend: 0, bytesFromBackend: 0 })
  })

  it('count connections that wait, are sent again, and fail without an answer', async () => {
    const namespace = `--net=${rig().places.namespacePath('remote')}`
    await run('nsenter', [namespace, 'nft', SILENCE])
    const served = service('tcp', ['11.7.1.2', 80], [[remote[4], SILENT_PORT]])
    await rig().put(served)
    const visit = rig()
      .at('host')
      .visit({ ...tcp('11.7.1.2', 80), timeoutMs: 1_500 })
    const row = async () => (await rows(rig(), served))[0]
    await expect.poll(async () => (await row())?.pendingConnections).toBe(1)
    expect((await row())?.activeConnections).toBe(1)
    expect((await visit).error).toBe('ETIMEDOUT')
    await expect.poll(async () => (await row())?.failures).toBe(1)
    const { retransmits, pendingConnections, activeConnections } = (await row()) ?? {}
    expect(retransmits).toBeGreaterThanOrEqual(1)
    expect([pendingConnections, activeConnections]).toEqual([0, 0])
  })

  it.each([true, false])('count flows of UDP, connected: %s', async (isConnected) => {
    const address = isConnected ? '11.7.2.1' : '11.7.2.2'
    const served = service('udp', [address, 80], [[c1[4], 8080]])
    await rig().put(served)
    await rig()
      .at('c2')
      .visits(udp(address, 80, isConnected), 25)
    const flow = { call: 'open', flow: address, ...udp(address, 80, isConnected) } as const
    await rig().at('c2').call(flow)
    for (let count = 0; count < 5; count++) await rig().at('c2').say(address)
    expect(await rows(rig(), served)).toEqual([{ address: c1[4], port: 8080, connections: 26 }])
  })

  it('of a draining backend stay as they are', async () => {
    const vip = tcp('11.7.3.1', 80)
    const backends = (weight: number) =>
      [
        [c1[4], 8080, weight],
        [c2[4], 8080],
      ] as const
    await rig().put(service('tcp', ['11.7.3.1', 80], backends(1)))
    await rig().at('host').visits(vip, 50)
    const served = service('tcp', ['11.7.3.1', 80], backends(0))
    await rig().put(served)
    const connections = async () =>
      byEndpoint(await rows(rig(), served), `${c1[4]}:8080`)?.connections
    const before = await connections()
    expect(before).toBeGreaterThan(0)
    await rig().at('host').visits(vip, 200)
    expect(await connections()).toBe(before)
  })

  it('outlive the plane, and changes of the service', async () => {
    const served = service('tcp', ['11.7.4.1', 80], [[c1[4], 8080]])
    await rig().put(served)
    await rig().at('c2').visits(tcp('11.7.4.1', 80), 30)
    await rig().plane.close()
    rig().adopt(await rig().openPlane())
    await rig().put({
      ...served,
      backends: service(
        'tcp',
        ['11.7.4.1', 80],
        [
          [c1[4], 8080, 3],
          [c2[4], 8080],
        ],
      ).backends,
    })
    const row = byEndpoint(await rows(rig(), served), `${c1[4]}:8080`)
    expect(row?.connections).toBe(30)
  })

  it('leave with the backend, and a connection that ends later brings none back', async () => {
    const both = service('tcp', ['11.7.5.1', 80], [[c1[4], 8080]])
    await rig().put(both)
    const client = rig().at('host')
    await client.call({ call: 'open', flow: 'late', ...tcp('11.7.5.1', 80) })
    await client.say('late')
    expect(await measured(rig(), c1[4], '11.7.5.1')).toBe(1)
    await rig().put(service('tcp', ['11.7.5.1', 80], [[c2[4], 8080]]))
    expect(await measured(rig(), c1[4], '11.7.5.1')).toBe(0)
    await rig().put(both)
    await client.call({ call: 'open', flow: 'new', ...tcp('11.7.5.1', 80) })
    await client.say('new')
    await client.call({ call: 'hangUp', flow: 'late' })
    await client.visits(tcp('11.7.5.1', 80), 5)
    await expect.poll(() => openConnections(rig(), '11.7.5.1')).toBe(1)
    expect((await rows(rig(), both))[0]).toMatchObject({ connections: 6, activeConnections: 1 })
    await client.call({ call: 'hangUp', flow: 'new' })
    await rig().remove(both)
    await expect.poll(() => openConnections(rig(), '11.7.5.1')).toBe(0)
    expect(await measured(rig(), c1[4], '11.7.5.1')).toBe(0)
  })
})

async function rows(rig: Rig, served: Service): Promise<readonly BackendStatistics[]> {
  return (await rig.plane.statistics()).get(serviceKeyOf(served)) ?? []
}

function byEndpoint(found: readonly BackendStatistics[], endpoint: string) {
  return found.find((row) => formatEndpoint(row) === endpoint)
}

function sum(
  found: readonly BackendStatistics[],
  name: Exclude<keyof BackendStatistics, 'address' | 'port' | 'connectTimes'>,
): number {
  return found.reduce((total, { [name]: count = 0 }) => total + count, 0)
}

/** Measures of a backend in the kernel, whatever the plane makes of them. */
async function measured(rig: Rig, backend: string, vip: string): Promise<number> {
  return entriesWith(rig, { name: 'measures', part: 'keys' }, [vip, backend])
}

async function openConnections(rig: Rig, vip: string): Promise<number> {
  return entriesWith(rig, { name: 'connections', part: 'values' }, [vip])
}

/** How many entries of a pinned map hold these IPv4 addresses. */
async function entriesWith(
  { places }: Rig,
  { name, part }: { readonly name: string; readonly part: 'keys' | 'values' },
  addresses: readonly string[],
): Promise<number> {
  const map = await openPinnedMap(`${places.pinDirectory}/${LAYOUT_VERSION}/${name}`)
  const { [part]: packed } = await map.dump()
  map.close()
  const sizeBytes = part === 'keys' ? 40 : 56
  const texts = Array.from({ length: packed.length / sizeBytes }, (_, index) =>
    Buffer.from(packed.subarray(index * sizeBytes, (index + 1) * sizeBytes)).toString('hex'),
  )
  const wanted = addresses.map((text) => Buffer.from(text.split('.').map(Number)).toString('hex'))
  return texts.filter((text) => wanted.every((address) => text.includes(address))).length
}
