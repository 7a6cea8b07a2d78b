import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Ipvs } from '../../../src/kernel/ipvs.ts'
import { formOf, isRefusal } from '../../../src/l4lb/planes/ipvs/service-form.ts'
import { familyOf } from '../../../src/model/ip.ts'
import { serviceKeyOf } from '../../../src/model/vip.ts'
import { runs } from '../runs.ts'
import { anyBackends, anyServices, type Services, service, servicesOf } from '../services.ts'
import { FakeIpvsNetwork } from './fake-ipvs-network.ts'
import { anyIpvsDamage } from './ipvs-damage.ts'
import { converge, expectExactly, round } from './rounds.ts'

const WEB = service('tcp/11.0.0.1/80', '10.0.0.1:8080', '10.0.0.2:8080')
const API = service('tcp/11.0.0.2/443', '10.0.0.1:8080', '10.0.0.2:8081', '9.0.1.5:80 x2')
const DNS = service('udp/11.0.0.1/53', '10.0.0.1:53', '10.0.0.2:53')
const BLOCKS = ['11.0.0.0/8', 'fd01:c::/64']

describe('the ipvs plane over a network in memory', () => {
  test('reaches the desired services from any state, and touches nothing of others', async () => {
    const held = fc.array(anyServices, { minLength: 1, maxLength: 3 })
    const damages = fc.array(anyIpvsDamage, { maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(held, damages, fc.boolean(), async (states, damage, isRestarted) => {
        const network = new FakeIpvsNetwork()
        await network.prepareForeign()
        const first = network.plane()
        const desired = states.at(-1) ?? new Map()
        for (const state of states) await converge(first, state)
        const foreign = await network.foreign()
        for (const { inflict } of damage) await inflict(network)
        const plane = isRestarted ? network.plane() : first
        await converge(plane, desired)
        await expectExactly(network.plane(), desired)
        await converge(plane, desired)
        await plane.audit() // takes away what only waited for connections, which nobody has here
        await expectNothingElse(network, desired)
        expect(await plane.audit()).toBe(true)
        expect(await network.foreign()).toBe(foreign)
      }),
      runs(60),
    )
  }, 30_000)

  test('serves at each moment of a change from backends to others', async () => {
    const usable = anyBackends(4).filter((backends) => backends.some(({ weight }) => weight > 0))
    await fc.assert(
      fc.asyncProperty(usable, usable, async (before, after) => {
        const network = new FakeIpvsNetwork()
        const plane = network.plane()
        await converge(plane, servicesOf({ ...WEB, backends: before }))
        network.onOperation = () => expectTaken(network.ipvs)
        await converge(plane, servicesOf({ ...WEB, backends: after }))
      }),
      runs(150),
    )
  })

  test('needs one round, and none once all is well', async () => {
    const plane = new FakeIpvsNetwork().plane()
    const outcomes = await round(plane, servicesOf(WEB, API))
    expect(outcomes.map(({ operation, error }) => [operation.kind, error])).toEqual([
      ['repair', undefined],
      ['put', undefined],
      ['put', undefined],
    ])
    expect(await round(plane, servicesOf(WEB, API))).toEqual([])
    expect(await plane.audit()).toBe(true)
  })

  test('keeps what it must not prune', async () => {
    const network = new FakeIpvsNetwork()
    const plane = network.plane()
    await converge(plane, servicesOf(WEB, API))
    await round(plane, servicesOf(API), false)
    await expectExactly(network.plane(), servicesOf(WEB, API))
  })

  test('leaves a service of others at the address of ours, and says so', async () => {
    const network = new FakeIpvsNetwork()
    await network.ipvs.apply([
      { kind: 'newService', service: { ...formOf(WEB).service, schedulerFlags: 0 } },
    ])
    const foreign = await network.foreign()
    const outcomes = await round(network.plane(), servicesOf(WEB, API))
    const failed = outcomes.filter(({ error }) => error !== undefined)
    expect(failed.map(({ operation }) => 'key' in operation && operation.key)).toEqual([
      'tcp/11.0.0.1/80',
    ])
    expect(failed[0]?.error).toMatchObject({ code: 'KERNEL_OPERATION_FAILED' })
    expect(await network.foreign()).toBe(foreign)
  })
})

describe('a backend that goes', () => {
  const [kept, gone] = [WEB.backends[0], WEB.backends[1]]
  const without = { ...WEB, backends: kept ? [kept] : [] }
  const key = formOf(WEB).service.key

  test('of TCP stays without new connections until it has none', async () => {
    const network = new FakeIpvsNetwork()
    const plane = network.plane()
    await converge(plane, servicesOf(WEB))
    if (gone) network.ipvs.count(key, gone, { activeConnections: 1 })
    await converge(plane, servicesOf(without))
    await expectExactly(network.plane(), servicesOf(without))
    expect(await plane.audit()).toBe(true)
    expect(await weights(network.ipvs)).toEqual([1, 0])
    if (gone) network.ipvs.count(key, gone, { activeConnections: 0 })
    expect(await plane.audit()).toBe(true)
    expect(await weights(network.ipvs)).toEqual([1])
  })

  test('of TCP and comes back takes connections again', async () => {
    const network = new FakeIpvsNetwork()
    const plane = network.plane()
    for (const state of [WEB, without, WEB]) await converge(plane, servicesOf(state))
    expect(await weights(network.ipvs)).toEqual([1, 1])
  })

  test('of UDP is removed at once', async () => {
    const network = new FakeIpvsNetwork()
    const plane = network.plane()
    await converge(plane, servicesOf(DNS))
    await converge(plane, servicesOf({ ...DNS, backends: DNS.backends.slice(0, 1) }))
    expect(await weights(network.ipvs)).toEqual([1])
    await converge(plane, new Map())
    expect(await network.ipvs.observe()).toEqual([])
  })

  test('with its service leaves both once it has no connection', async () => {
    const network = new FakeIpvsNetwork()
    const plane = network.plane()
    await converge(plane, servicesOf(WEB))
    if (gone) network.ipvs.count(key, gone, { inactiveConnections: 1 })
    await converge(plane, new Map())
    await expectExactly(network.plane(), new Map())
    expect(await plane.audit()).toBe(true)
    expect(await network.ipvs.observe()).toHaveLength(1)
    if (gone) network.ipvs.count(key, gone, { inactiveConnections: 0 })
    expect(await plane.audit()).toBe(true)
    expect(await network.ipvs.observe()).toEqual([])
  })
})

describe('a literal VIP', () => {
  const outside = service('udp/192.0.2.80/80', '10.0.0.2:8080')
  const own = service('udp/10.0.0.1/80', '10.0.0.2:8080')

  test('has a route of its own while it is served', async () => {
    const network = new FakeIpvsNetwork()
    const plane = network.plane()
    await converge(plane, servicesOf(outside, WEB))
    expect(await network.ownRoutes()).toEqual([...BLOCKS, '192.0.2.80/32'].sort())
    await converge(plane, servicesOf(WEB))
    expect(await network.ownRoutes()).toEqual(BLOCKS)
  })

  test('has none where it is an address of the host itself', async () => {
    const network = new FakeIpvsNetwork()
    await converge(network.plane(), servicesOf(own))
    expect(await network.ownRoutes()).toEqual(BLOCKS)
  })
})

describe('a plane that serves no more', () => {
  test('keeps what has connections, and then nothing', async () => {
    const network = new FakeIpvsNetwork()
    await network.prepareForeign()
    const foreign = await network.foreign()
    await converge(network.plane(), servicesOf(WEB, DNS))
    const [backend] = WEB.backends
    const key = formOf(WEB).service.key
    if (backend) network.ipvs.count(key, backend, { activeConnections: 3 })
    const remains = network.remains()
    expect(await remains.retire()).toBe(true)
    await expectExactly(network.plane(), new Map())
    expect(await remains.sweep()).toBe(false)
    expect(await network.ownRoutes()).toEqual(BLOCKS)
    if (backend) network.ipvs.count(key, backend, { activeConnections: 0 })
    expect(await remains.sweep()).toBe(true)
    expect(await remains.retire()).toBe(false)
    expect(await network.ownRoutes()).toEqual([])
    expect(network.nftables.tableNames).toEqual([])
    expect(await network.foreign()).toBe(foreign)
  })

  test('serves again what it kept', async () => {
    const network = new FakeIpvsNetwork()
    await converge(network.plane(), servicesOf(WEB, DNS))
    await network.remains().retire()
    await converge(network.plane(), servicesOf(WEB, DNS))
    await expectExactly(network.plane(), servicesOf(WEB, DNS))
  })
})

/** The kernel holds our services as they are made, and no more. */
async function expectNothingElse(network: FakeIpvsNetwork, desired: Services): Promise<void> {
  const own = (await network.ipvs.observe()).filter(({ schedulerFlags }) => schedulerFlags & 4)
  const sizes = own.map(({ key, destinations }) => {
    return (
      key.kind === 'address' && [
        serviceKeyOf({ ...key, protocol: key.protocol as 'tcp', port: key.port as never }),
        destinations.length,
      ]
    )
  })
  const wanted = [...desired].map(([key, each]) => [key, formOf(each).destinations.size])
  expect(sizes.sort()).toEqual(wanted.sort())
  const literal = [...desired.values()].filter(({ address }) => address === '10.1.2.3')
  const routes = literal.length > 0 ? [...BLOCKS, '10.1.2.3/32'] : BLOCKS
  expect(await network.ownRoutes()).toEqual([...routes].sort())
  for (const { address } of literal) expect(familyOf(address)).toBe(4)
}

/** Every service takes connections and refuses none. */
async function expectTaken(ipvs: Ipvs): Promise<void> {
  for (const observed of await ipvs.observe()) {
    const usable = observed.destinations.filter(({ weight }) => weight > 0)
    expect(usable.length).toBeGreaterThan(0)
    expect(usable.some((each) => isRefusal(observed, each))).toBe(false)
  }
}

async function weights(ipvs: Ipvs): Promise<number[]> {
  const services = await ipvs.observe()
  return services.flatMap(({ destinations }) => destinations.map(({ weight }) => weight))
}
