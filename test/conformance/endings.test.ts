import { describe, expect, it } from 'vitest'
import { run } from '../../src/demo/run.ts'
import { openPinnedMap } from '../../src/kernel/bpf.ts'
import { LAYOUT_VERSION } from '../../src/l4lb/planes/ebpf/kernel.ts'
import type { Drain } from '../../src/model/vip-options.ts'
import { ADDRESSES, SITES } from './network.ts'
import { type BackendInBrief, type Rig, service, tcp, udp } from './rig.ts'
import type { Destination } from './traffic.ts'
import { useRig } from './use-rig.ts'

const { c1, c2 } = ADDRESSES

describe('the ebpf plane ends sockets', () => {
  const rig = useRig({ kind: 'ebpf' }, async (opened) => {
    for (const site of ['c1', 'c2'] as const) await opened.serve(site, 8080)
  })

  async function open(flow: string, site: 'host' | 'c2' | 'c3', to: Destination): Promise<string> {
    await rig()
      .at(site)
      .call({ call: 'open', flow, ...to })
    return (await rig().at(site).say(flow)).server
  }

  async function fateOf(flow: string, site: 'host' | 'c2' | 'c3'): Promise<string> {
    const said = rig().at(site).say(flow)
    return said.then(
      ({ server }) => server,
      (error: Error) => error.message,
    )
  }

  it('of UDP to a backend that is gone, in every namespace, and no others', async () => {
    const only = (address: string, backend: string) =>
      service('udp', [address, 80], [[backend, 8080]])
    await rig().put(only('11.5.0.1', c1[4]), only('11.5.0.2', c1[4]), only('fd01:c::501', c1[6]))
    const doomed = [
      ['host', udp('11.5.0.1', 80)],
      ['c2', udp('11.5.0.1', 80)],
      ['c3', udp('::ffff:11.5.0.1', 80)],
      ['c2', udp('fd01:c::501', 80)],
    ] as const
    const kept = [
      ['host', udp('11.5.0.2', 80)],
      ['c3', udp('11.5.0.2', 80)],
      ['c2', udp(c1[4], 8080)],
      ['c2', udp(c1[6], 8080)],
    ] as const
    for (const [index, [site, to]] of doomed.entries()) await open(`doomed ${index}`, site, to)
    for (const [index, [site, to]] of kept.entries()) await open(`kept ${index}`, site, to)
    await open('moves', 'c2', udp('11.5.0.1', 80, false))
    expect(await connected(rig(), 'udp')).toBe(doomed.length + kept.length)

    await rig().put(only('11.5.0.1', c2[4]), only('fd01:c::501', c2[6]))
    const left = () => connected(rig(), 'udp')
    await expect.poll(left, { interval: 1, timeout: 1_000 }).toBe(kept.length)
    for (const [index, [site]] of doomed.entries()) {
      expect(await fateOf(`doomed ${index}`, site)).toBe('ECONNABORTED')
    }
    for (const [index, [site]] of kept.entries()) {
      expect(await fateOf(`kept ${index}`, site)).toBe('c1:8080')
    }
    expect(await fateOf('moves', 'c2')).toBe('c2:8080')
    for (const map of ['origins', 'flows'] as const) {
      expect(await entriesWith(rig(), map, [c1[4], '11.5.0.1']), map).toBe(0)
    }
  })

  it('of UDP when the service is removed', async () => {
    const served = service('udp', ['11.5.1.1', 80], [[c1[4], 8080]])
    await rig().put(served)
    await open('removed', 'c2', udp('11.5.1.1', 80))
    await rig().remove(served)
    await expect.poll(() => fateOf('removed', 'c2'), { interval: 1 }).toBe('ECONNABORTED')
  })

  it('that a daemon which died has left', async () => {
    const served = service('udp', ['11.5.1.2', 80], [[c1[4], 8080]])
    await rig().put(served)
    await open('left', 'c2', udp('11.5.1.2', 80))
    await open('same', 'c2', udp(c1[4], 8080))
    await rig().plane.close()
    const members = await openPinnedMap(pin(rig(), 'members'))
    await members.delete((await members.dump()).keys)
    members.close()
    rig().adopt(await rig().openPlane())
    await rig().reconcile()
    await expect.poll(() => fateOf('left', 'c2'), { interval: 1 }).toBe('ECONNABORTED')
    expect(await fateOf('same', 'c2')).toBe('c1:8080')
  })

  it.each([
    { what: 'reset', drain: 'reset', protocol: 'tcp' },
    { what: 'a second', drain: 1, protocol: 'tcp' },
    { what: 'reset', drain: 'reset', protocol: 'udp' },
    { what: 'a second', drain: 1, protocol: 'udp' },
  ] as const)('of a draining backend, by $protocol after: $what', async ({ drain, protocol }) => {
    const address = `11.5.2.${drain === 1 ? 1 : 2}`
    const to = protocol === 'tcp' ? tcp(address, 80) : udp(address, 80)
    const put = (drained: Drain, ...backends: BackendInBrief[]) =>
      rig().put({ ...service(protocol, [address, 80], backends), options: { drain: drained } })
    await put(drain, [c1[4], 8080])
    const flow = `${drain} ${protocol}`
    await open(`${flow} doomed`, 'c3', to)
    await put(drain, [c1[4], 8080, 0], [c2[4], 8080])
    expect(await open(`${flow} kept`, 'c3', to)).toBe('c2:8080')
    if (drain === 1) expect(await fateOf(`${flow} doomed`, 'c3')).toBe('c1:8080')
    const fate = () => fateOf(`${flow} doomed`, 'c3')
    const fates =
      protocol === 'tcp' ? /^(ECLOSED|ECONNABORTED|ECONNRESET|EPIPE)$/ : /^ECONNABORTED$/
    await expect.poll(fate, { interval: 10, timeout: 3_000 }).toMatch(fates)
    expect(await fateOf(`${flow} kept`, 'c3')).toBe('c2:8080')
  })

  it('not of a backend that came back in time, or whose service lets it finish', async () => {
    const put = (address: string, drain: Drain, weight: number) => {
      const served = service('tcp', [address, 80], [[c1[4], 8080, weight]])
      return rig().put({ ...served, options: { drain } })
    }
    const vips = { back: '11.5.3.1', graceful: '11.5.3.2', doomed: '11.5.3.3' } as const
    for (const [name, address] of Object.entries(vips)) {
      await put(address, 1, 1)
      await open(`finish ${name}`, 'c3', tcp(address, 80))
      await put(address, 1, 0)
    }
    await put(vips.back, 1, 1)
    await put(vips.graceful, 'graceful', 0)
    const fate = () => fateOf('finish doomed', 'c3')
    await expect.poll(fate, { interval: 10, timeout: 3_000 }).not.toBe('c1:8080')
    expect(await fateOf('finish back', 'c3')).toBe('c1:8080')
    expect(await fateOf('finish graceful', 'c3')).toBe('c1:8080')
  })

  it('also of a removed backend, when its time is over', async () => {
    const served = service('tcp', ['11.5.4.1', 80], [[c1[4], 8080]])
    await rig().put({ ...served, options: { drain: 1 } })
    await open('late', 'host', tcp('11.5.4.1', 80))
    await open('direct', 'host', tcp(c1[4], 8080))
    await rig().remove(served)
    expect(await fateOf('late', 'host')).toBe('c1:8080')
    const fate = () => fateOf('late', 'host')
    await expect.poll(fate, { interval: 10, timeout: 3_000 }).not.toBe('c1:8080')
    expect(await fateOf('direct', 'host')).toBe('c1:8080')
  })
})

/** Connected sockets of a protocol to container 1, in all namespaces of the rig. */
async function connected({ places }: Rig, protocol: 'tcp' | 'udp'): Promise<number> {
  const counts = SITES.map(async (site) => {
    const namespace = `--net=${places.namespacePath(site)}`
    const option = protocol === 'tcp' ? '-Htn' : '-Hun'
    const listed = await run('nsenter', [namespace, 'ss', option, 'state', 'established'])
    const lines = listed
      .split('\n')
      .filter((line) => /(172\.30\.0\.11|fd30::11)\]?:8080\s*$/.test(line))
    return lines.length
  })
  return (await Promise.all(counts)).reduce((sum, count) => sum + count)
}

/** How many entries of a map of flows hold these IPv4 addresses. */
async function entriesWith(
  rig: Rig,
  name: 'origins' | 'flows',
  addresses: readonly string[],
): Promise<number> {
  const map = await openPinnedMap(pin(rig, name))
  const { keys, values } = await map.dump()
  map.close()
  const texts = Array.from({ length: keys.length / 32 }, (_, at) =>
    Buffer.concat([
      keys.subarray(at * 32, at * 32 + 32),
      values.subarray(at * 20, at * 20 + 20),
    ]).toString('hex'),
  )
  const wanted = addresses.map((text) => Buffer.from(text.split('.').map(Number)).toString('hex'))
  return texts.filter((text) => wanted.every((address) => text.includes(address))).length
}

function pin({ places }: Rig, name: string): string {
  return `${places.pinDirectory}/${LAYOUT_VERSION}/${name}`
}
