import { existsSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { bpfLinkState } from '../../src/kernel/bpf.ts'
import { LAYOUT_VERSION } from '../../src/l4lb/planes/ebpf/kernel.ts'
import { PROGRAMS } from '../../src/l4lb/planes/ebpf/plane.ts'
import { ADDRESSES } from './network.ts'
import { PLANES, type Rig, service, tcp, udp } from './rig.ts'
import { useRig } from './use-rig.ts'

const { c1, c2 } = ADDRESSES

describe.each(PLANES.filter((kind) => kind === 'ebpf'))('an upgrade of the %s plane', (kind) => {
  const rig = useRig({ kind }, async (opened) => {
    for (const site of ['c1', 'c2'] as const) await opened.serve(site, 8080)
    const backends = [
      [c1[4], 8080],
      [c2[4], 8080, 2],
    ] as const
    await opened.put(
      service('tcp', ['11.6.0.1', 80], backends),
      service('udp', ['11.6.0.1', 80], backends),
      service('tcp', ['11.6.0.2', 80], []),
    )
  })

  it('keeps services, flows and links, and no connection fails', async () => {
    await rig()
      .at('host')
      .call({ call: 'open', flow: 'stream', ...tcp('11.6.0.1', 80) })
    const flow = udp('11.6.0.1', 80, false)
    await rig()
      .at('host')
      .call({ call: 'open', flow: 'datagrams', ...flow })
    const { server } = await rig().at('host').say('datagrams')
    await rig().plane.close()
    const { pinDirectory } = rig().places
    await rename(`${pinDirectory}/${LAYOUT_VERSION}`, `${pinDirectory}/v1`)
    const before = await programIds(rig(), 'v1')

    await rig().at('c2').flood(tcp('11.6.0.1', 80))
    const plane = await rig().openPlane()
    rig().adopt(plane)
    // As at a start, when this node knows of no service yet: nothing may be missing meanwhile.
    const { services, defects } = await plane.observe()
    expect(services.size).toBe(3)
    const counted = async () => (await rig().at('c2').floodCount()) > 500
    await expect.poll(counted, { interval: 5, timeout: 10_000 }).toBe(true)
    const [{ error } = {}] = await plane.apply([{ kind: 'repair', defects }])
    expect(error).toBeUndefined()
    const more = (await rig().at('c2').floodCount()) + 500
    const isMore = async () => (await rig().at('c2').floodCount()) > more
    await expect.poll(isMore, { interval: 5, timeout: 10_000 }).toBe(true)
    expect((await rig().at('c2').endFlood()).errors).toEqual({})

    expect(await rig().plan()).toEqual([])
    expect(existsSync(`${pinDirectory}/v1`)).toBe(false)
    // Those that read only maps that did not change are the same.
    const same = [4, 5, 6, 7]
    const after = await programIds(rig(), LAYOUT_VERSION)
    expect(after).not.toContain(undefined)
    expect(after.flatMap((id, index) => (id === before[index] ? index : []))).toEqual(same)
    const said = await rig().at('host').say('datagrams')
    expect(said.server).toBe(server)
    expect(said.source).toEqual({ address: '11.6.0.1', port: 80 })
    expect((await rig().at('host').say('stream')).peer).toEqual({ address: '11.6.0.1', port: 80 })
    expect((await rig().at('c1').visit(tcp('11.6.0.2', 80))).error).toBe('ECONNREFUSED')
    expect((await plane.statistics()).size).toBeGreaterThan(0)
  })

  it('is seen when only the programs differ', async () => {
    const { pinDirectory } = rig().places
    await rig().plane.close()
    const [first, second] = ['connect4', 'connect6'].map(
      (program) => `${pinDirectory}/${LAYOUT_VERSION}/link-${program}`,
    ) as [string, string]
    await rename(first, `${first}-aside`)
    await rename(second, first)
    await rename(`${first}-aside`, second)
    rig().adopt(await rig().openPlane())
    const plan = await rig().plan()
    expect(plan.map(({ kind: what }) => what)).toEqual(['repair'])
  })
})

async function programIds({ places }: Rig, version: string): Promise<(number | undefined)[]> {
  const pins = PROGRAMS.map((program) => `${places.pinDirectory}/${version}/link-${program}`)
  return (await Promise.all(pins.map(bpfLinkState))).map((state) => state?.programId)
}
