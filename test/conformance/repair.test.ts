import { describe, expect, it } from 'vitest'
import type { Service } from '../../src/model/vip.ts'
import { damages } from './damage.ts'
import { addForeign, FOREIGN_PORT, readForeign } from './foreign.ts'
import { ADDRESSES, BRIDGE } from './network.ts'
import { PLANES, type Rig, service, tcp, udp } from './rig.ts'
import { useRig } from './use-rig.ts'

const { c1, c2 } = ADDRESSES

describe.each(PLANES)('the %s plane', (kind) => {
  let foreign: object
  const rig = useRig({ kind }, async (opened) => {
    for (const site of ['c1', 'c2'] as const) await opened.serve(site, 8080)
    await addForeign(opened)
    foreign = await readForeign(opened)
    await opened.put(...services())
    await expectServed(opened)
  })

  it.each(damages(kind))('sees and repairs it when $what', async ({ inflict }) => {
    await inflict(rig())
    const sees = async () => (await rig().plan()).length > 0
    await expect.poll(sees, { interval: 2, timeout: 2_000 }).toBe(true)
    await rig().reconcile()
    expect(await rig().plan()).toEqual([])
    expect(await rig().plane.audit()).toBe(true)
    await expectServed(rig())
  })

  it('repairs nothing that is whole', async () => {
    expect(await rig().plan()).toEqual([])
    const { services: held, defects } = await rig().plane.observe()
    expect(defects).toEqual([])
    expect(held.size).toBe(services().length)
  })

  if (kind !== 'ipvs')
    it('does not masquerade a connection that others translate', async () => {
      const { exchange, error } = await rig()
        .at('c2')
        .visit(udp(BRIDGE[4], FOREIGN_PORT, false))
      expect(error).toBeUndefined()
      expect(exchange?.server).toBe('c1:8080')
      expect(exchange?.client.address).toBe(c2[4])
      // The other's translation lacks a masquerade: so the answer comes past it.
      expect(exchange?.source).toEqual({ address: c1[4], port: 8080 })
    })

  it('leaves the tables and programs of others as they are', async () => {
    expect(await readForeign(rig())).toEqual(foreign)
  })
})

function services(): Service[] {
  return (['tcp', 'udp'] as const).flatMap((protocol) => [
    service(
      protocol,
      ['11.4.0.1', 80],
      [
        [c1[4], 8080],
        [c2[4], 8080],
      ],
    ),
    service(protocol, ['11.4.0.2', 80], []),
    service(protocol, ['fd01:c::401', 80], [[c1[6], 8080]]),
  ])
}

async function expectServed(rig: Rig): Promise<void> {
  const vips = [
    tcp('11.4.0.1', 80),
    udp('11.4.0.1', 80, false),
    tcp('fd01:c::401', 80),
    udp('fd01:c::401', 80),
  ]
  for (const client of ['host', 'c1', 'c2'] as const) {
    for (const vip of vips) {
      const { exchange, error } = await rig.at(client).visit(vip)
      expect(error, `${vip.transport} ${vip.address} from ${client}`).toBeUndefined()
      expect(exchange?.source).toEqual({ address: vip.address, port: vip.port })
    }
    for (const nothing of [tcp('11.4.0.2', 80), tcp('11.4.8.8', 80), tcp('fd01:c::488', 80)]) {
      expect((await rig.at(client).visit(nothing)).error, nothing.address).toBe('ECONNREFUSED')
    }
  }
}
