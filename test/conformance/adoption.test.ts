import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { firstLine } from '../../src/demo/host/host-process.ts'
import { bpfLinkState } from '../../src/kernel/bpf.ts'
import { LAYOUT_VERSION } from '../../src/l4lb/planes/ebpf/kernel.ts'
import { PROGRAMS } from '../../src/l4lb/planes/ebpf/plane.ts'
import type { Service } from '../../src/model/vip.ts'
import { ADDRESSES } from './network.ts'
import { openPlaneAt } from './open-plane.ts'
import { PLANES, type Rig, service, tcp, udp } from './rig.ts'
import { spawnIn } from './traffic-agent.ts'
import { useRig } from './use-rig.ts'
import { writesDuring } from './write-monitor.ts'

const { c1, c2 } = ADDRESSES

/** To load the programs of plane ebpf takes a quarter of a second. */
const CYCLES = 15

describe.each(PLANES)('the %s plane', (kind) => {
  const rig = useRig({ kind }, async (opened) => {
    for (const site of ['c1', 'c2'] as const) await opened.serve(site, 8080)
    await opened.put(...services())
  })

  it('leaves the data path working when it is closed, open connections too', async () => {
    await rig()
      .at('host')
      .call({ call: 'open', flow: 'kept', ...tcp('11.3.0.1', 80) })
    const { server } = await rig().at('host').say('kept')
    await rig().plane.close()
    await expectServed(rig())
    expect((await rig().at('host').say('kept')).server).toBe(server)
    rig().adopt(await rig().openPlane())
  })

  it('adopts what an instance before it left, and writes nothing', async () => {
    const before = await identities(rig())
    const { result: renderings, written } = await writesDuring(rig(), async () => {
      const second = await rig().openPlane()
      const observed = await second.observe()
      expect(observed.defects).toEqual([])
      expect(await rig().plan(second)).toEqual([])
      await second.close()
      return [...observed.services.values()].sort()
    })
    expect(renderings).toEqual(
      services()
        .map((each) => rig().plane.render(each))
        .sort(),
    )
    expect(written).toEqual([])
    expect(await identities(rig())).toEqual(before)
  })

  it('goes on after an adoption: what the instance before it made is changed and removed', async () => {
    const second = await rig().openPlane()
    await rig().plane.close()
    rig().adopt(second)
    await rig().put(service('tcp', ['11.3.0.1', 80], [[c2[4], 8080]]))
    expect((await rig().at('host').visits(tcp('11.3.0.1', 80), 50)).servers).toEqual({
      'c2:8080': 50,
    })
    await rig().remove(service('tcp', ['11.3.0.1', 80], []))
    expect((await rig().at('host').visit(tcp('11.3.0.1', 80))).error).toBe('ECONNREFUSED')
    await rig().put(...services())
    expect(await rig().plan()).toEqual([])
  })

  it('leaves the data path working when its process is killed; the next one adopts', async () => {
    const later = service('tcp', ['11.3.0.9', 80], [[c1[4], 8080]])
    await rig().plane.close()
    const { cgroup, paths } = { cgroup: rig().places.outside, paths: rig().places.paths }
    const wanted = JSON.stringify([...services(), later])
    const place = { namespace: '/proc/self/ns/net', cgroup }
    const child = spawnIn(place, 'plane-main.ts', kind, JSON.stringify(paths), wanted)
    await firstLine(child, 'ready')
    child.kill('SIGKILL')
    await once(child, 'exit')
    await expectServed(rig())
    expect((await rig().at('c2').visit(tcp('11.3.0.9', 80))).exchange?.server).toBe('c1:8080')
    const next = await rig().openPlane()
    rig().adopt(next)
    const plan = await rig().plan()
    expect(plan).toEqual([{ kind: 'remove', key: 'tcp/11.3.0.9/80' }])
    await rig().reconcile()
    expect(await rig().plan()).toEqual([])
  })

  it('closes every file that it opens', async () => {
    const cycle = async () => {
      const plane = await openPlaneAt(kind, rig().places.paths)
      await plane.observe()
      await plane.close()
    }
    await cycle() // what the process opens once, it keeps
    const before = await openFiles()
    for (let count = 0; count < CYCLES; count++) {
      await cycle()
      // Closing ends on another thread, at once; the garbage collector would come too late.
      await expect.poll(openFiles, { interval: 1, timeout: 200 }).toBeLessThanOrEqual(before)
    }
  })
})

function services(): Service[] {
  return (['tcp', 'udp'] as const).flatMap((protocol) => [
    service(
      protocol,
      ['11.3.0.1', 80],
      [
        [c1[4], 8080],
        [c2[4], 8080, 2],
      ],
    ),
    service(
      protocol,
      ['fd01:c::301', 80],
      [
        [c1[6], 8080],
        [c2[6], 8080, 0],
      ],
    ),
    service(protocol, ['11.3.0.2', 80], []),
  ])
}

async function expectServed(rig: Rig): Promise<void> {
  for (const client of ['host', 'c2'] as const) {
    for (const vip of [tcp('11.3.0.1', 80), udp('11.3.0.1', 80, false), tcp('fd01:c::301', 80)]) {
      const { exchange } = await rig.at(client).visit(vip)
      expect(exchange?.source).toEqual({ address: vip.address, port: vip.port })
    }
    expect((await rig.at(client).visit(tcp('11.3.0.2', 80))).error).toBe('ECONNREFUSED')
  }
}

/** The numbers that the kernel gave to the attached programs. */
async function identities({ kind, places }: Rig): Promise<(number | undefined)[]> {
  if (kind !== 'ebpf') return []
  const pins = PROGRAMS.map((program) => `${places.pinDirectory}/${LAYOUT_VERSION}/link-${program}`)
  return (await Promise.all(pins.map(bpfLinkState))).map((state) => state?.programId)
}

async function openFiles(): Promise<number> {
  return (await readdir('/proc/self/fd')).length
}
