import { describe, expect, it } from 'vitest'
import { openNamespace } from '../../src/kernel/namespace.ts'
import type { Protocol } from '../../src/model/port.ts'
import type { Drain } from '../../src/model/vip-options.ts'
import { inHost } from './damage.ts'
import { ADDRESSES } from './network.ts'
import { ip } from './open-plane.ts'
import { type BackendInBrief, type ClientSite, type Rig, service, tcp, udp } from './rig.ts'
import type { Destination } from './traffic.ts'
import { useRig } from './use-rig.ts'

const { c1, c2 } = ADDRESSES
/** By then no flow may lead to a backend that left. */
const INVARIANT_MS = 100
/** Tests run beside others: what is late by the machine's load alone. */
const LOAD_MS = 400

describe('flows that nftables ends', () => {
  const rig = useRig({ kind: 'nftables' }, async (opened) => {
    for (const site of ['c1', 'c2'] as const) await opened.serve(site, 8080)
  })

  async function open(flow: string, client: ClientSite, to: Destination): Promise<string> {
    await rig()
      .at(client)
      .call({ call: 'open', flow, ...to, timeoutMs: 500 })
    return (await rig().at(client).say(flow)).server
  }

  const fateOf = async (flow: string, client: ClientSite): Promise<string> => {
    const { server } = await rig()
      .at(client)
      .say(flow)
      .catch(({ message }: Error) => ({ server: message }))
    return server
  }

  it.each([
    { family: 4, vip: '11.5.0.1' },
    { family: 6, vip: 'fd01:c::501' },
  ] as const)('of UDP when a backend leaves, and no others: v$family', async ({ family, vip }) => {
    const put = (address: string, ...backends: BackendInBrief[]) =>
      rig().put(service('udp', [address, 80], backends))
    const other = vip.replace(/1$/, '2')
    const hairpin: readonly [string, ClientSite, Destination][] = [
      ['connected', 'host', udp(vip, 80)],
      ['unconnected', 'c2', udp(vip, 80, false)],
      ['hairpin', 'c1', udp(vip, 80)],
    ]
    const kept: readonly [string, ClientSite, Destination][] = [
      ['direct', 'host', udp(c1[family], 8080)],
      ['by another VIP', 'host', udp(other, 80)],
    ]
    await put(other, [c1[family], 8080])
    await put(vip, [c1[family], 8080])
    for (const [flow, client, to] of [...hairpin, ...kept]) {
      expect(await open(`${family} ${flow}`, client, to), flow).toBe('c1:8080')
    }
    const before = await flowsTo(rig(), ['udp', other, c1[family]])
    expect(await flowsTo(rig(), ['udp', vip, c1[family]])).toHaveLength(hairpin.length)
    const startMs = performance.now()
    await put(vip, [c2[family], 8080])
    const left = () => flowsTo(rig(), ['udp', vip, c1[family]])
    await expect.poll(left, { interval: 1, timeout: 2_000 }).toEqual([])
    expect(performance.now() - startMs).toBeLessThan(INVARIANT_MS + LOAD_MS)
    expect(await flowsTo(rig(), ['udp', other, c1[family]])).toEqual(before)
    for (const [flow, client] of hairpin) {
      expect(await fateOf(`${family} ${flow}`, client), flow).toBe('c2:8080')
    }
    for (const [flow, client] of kept) {
      expect(await fateOf(`${family} ${flow}`, client), flow).toBe('c1:8080')
    }
  })

  it('of one who only sends, when the service ends', async () => {
    const served = service('udp', ['11.5.1.1', 80], [[c1[4], 9_999]])
    await rig().put(served)
    await inHost(rig(), 'bash', '-c', 'echo once > /dev/udp/11.5.1.1/80')
    const flows = () => flowsTo(rig(), ['udp', '11.5.1.1', c1[4]])
    expect(await flows()).toHaveLength(1)
    await rig().remove(served)
    await expect.poll(flows, { interval: 1, timeout: 2_000 }).toEqual([])
  })

  it('that a daemon which died has left', async () => {
    const served = service('udp', ['11.5.1.2', 80], [[c1[4], 8080]])
    const stays = service('udp', ['11.5.1.3', 80], [[c1[4], 8080]])
    await rig().put(served, stays)
    await open('left', 'c2', udp('11.5.1.2', 80))
    await open('stays', 'c2', udp('11.5.1.3', 80))
    const dying = rig().plane
    await rig().remove(served)
    await dying.close()
    rig().adopt(await rig().openPlane())
    await rig().reconcile()
    const flows = () => flowsTo(rig(), ['udp', '11.5.1.2', c1[4]])
    await expect.poll(flows, { interval: 1, timeout: 2_000 }).toEqual([])
    expect(await fateOf('stays', 'c2')).toBe('c1:8080')
  })

  it.each([
    { what: 'reset', drain: 'reset', protocol: 'tcp' },
    { what: 'a second', drain: 1, protocol: 'tcp' },
    { what: 'reset', drain: 'reset', protocol: 'udp' },
    { what: 'a second', drain: 1, protocol: 'udp' },
  ] as const)('of a draining backend, by $protocol after: $what', async ({ drain, protocol }) => {
    const address = `11.5.2.${drain === 1 ? 1 : 2}`
    const to = destination(protocol, address)
    const put = (...backends: BackendInBrief[]) =>
      rig().put({ ...service(protocol, [address, 80], backends), options: { drain } })
    await put([c1[4], 8080])
    const flow = `${drain} ${protocol}`
    await open(`${flow} doomed`, 'host', to)
    await open(`${flow} direct`, 'host', destination(protocol, c1[4], 8080))
    await put([c1[4], 8080, 0], [c2[4], 8080])
    expect(await open(`${flow} kept`, 'host', to)).toBe('c2:8080')
    if (drain === 1) expect(await fateOf(`${flow} doomed`, 'host')).toBe('c1:8080')
    const fate = () => fateOf(`${flow} doomed`, 'host')
    const fates = protocol === 'tcp' ? /^(ECLOSED|ECONNRESET|EPIPE)$/ : /^c2:8080$/
    await expect.poll(fate, { interval: 10, timeout: 4_000 }).toMatch(fates)
    expect(await fateOf(`${flow} kept`, 'host')).toBe('c2:8080')
    expect(await fateOf(`${flow} direct`, 'host')).toBe('c1:8080')
  })

  it('not of a backend that came back in time, or whose service lets it finish', async () => {
    const put = (address: string, drain: Drain, weight: number) => {
      const served = service('tcp', [address, 80], [[c1[4], 8080, weight]])
      return rig().put({ ...served, options: { drain } })
    }
    const vips = { back: '11.5.3.1', graceful: '11.5.3.2', doomed: '11.5.3.3' } as const
    for (const [name, address] of Object.entries(vips)) {
      await put(address, 1, 1)
      await open(`finish ${name}`, 'c2', tcp(address, 80))
      await put(address, 1, 0)
    }
    await put(vips.back, 1, 1)
    await put(vips.graceful, 'graceful', 0)
    const fate = () => fateOf('finish doomed', 'c2')
    await expect.poll(fate, { interval: 10, timeout: 4_000 }).not.toBe('c1:8080')
    expect(await fateOf('finish back', 'c2')).toBe('c1:8080')
    expect(await fateOf('finish graceful', 'c2')).toBe('c1:8080')
  })

  it('also of a removed backend, when its time is over', async () => {
    const served = service('tcp', ['11.5.4.1', 80], [[c1[4], 8080]])
    await rig().put({ ...served, options: { drain: 1 } })
    await open('late', 'host', tcp('11.5.4.1', 80))
    await rig().remove(served)
    expect(await fateOf('late', 'host')).toBe('c1:8080')
    const fate = () => fateOf('late', 'host')
    await expect.poll(fate, { interval: 10, timeout: 4_000 }).not.toBe('c1:8080')
  })
})

function destination(protocol: Protocol, address: string, port = 80): Destination {
  return protocol === 'tcp' ? tcp(address, port) : udp(address, port)
}

/** The entries of conntrack that go through a VIP to a backend, by their clients. */
async function flowsTo(
  rig: Rig,
  [protocol, vip, backend]: readonly [Protocol, string, string],
): Promise<string[]> {
  const namespace = await openNamespace(rig.places.namespacePath('host'))
  try {
    const flow = { protocol, originalDestination: { address: ip(vip), port: 80 } }
    const entries = await namespace.conntrack.entries([flow])
    const own = entries.filter(({ reply }) => reply.source.address === ip(backend))
    return own.map(({ original: { source } }) => `${source.address} ${source.port}`).sort()
  } finally {
    namespace.close()
  }
}
