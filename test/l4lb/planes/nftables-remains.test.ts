import { beforeEach, describe, expect, test } from 'vitest'
import { FakeConntrack } from '../../../src/kernel/fake/conntrack.ts'
import { NftablesRemains } from '../../../src/l4lb/planes/nftables/remains.ts'
import { TABLE } from '../../../src/l4lb/planes/nftables/ruleset.ts'
import type { Ip } from '../../../src/model/ip.ts'
import { service, servicesOf } from '../services.ts'
import { FakeNetwork } from './fake-nftables.ts'
import { converge, expectExactly } from './rounds.ts'

const WEB = service('tcp/11.0.0.1/80', '10.0.0.1:8080', '10.0.0.2:8080')
const WEB6 = service('udp/fd01:c::1/80', 'fd00::1:8080')

let network: FakeNetwork
let conntrack: FakeConntrack
let remains: NftablesRemains

beforeEach(async () => {
  network = new FakeNetwork()
  conntrack = new FakeConntrack()
  const { nftables, routes } = network
  const kernel = { nftables, routes, conntrack, close: () => undefined }
  remains = new NftablesRemains(kernel, () => servicesOf(WEB, WEB6).keys())
  await network.prepareForeign()
})

describe('what the nftables plane leaves', () => {
  test('translates and rejects nothing, but lets open connections be translated on', async () => {
    await converge(network.plane(), servicesOf(WEB, WEB6))
    expect(await remains.retire()).toBe(true)
    const { chains = [], rules = [] } = (await network.nftables.table(TABLE)) ?? {}
    // The kernel translates only where such chains are, and tracks only while a rule asks for it.
    const names = ['output', 'postrouting', 'prerouting']
    expect(chains.map(({ name }) => name).sort()).toEqual(names)
    expect(chains.every(({ hook }) => hook?.type === 'nat')).toBe(true)
    expect(rules.map(({ chain }) => chain).sort()).toEqual(names)
    const expressions = rules.flatMap((rule) => rule.expressions.map(({ expr }) => expr))
    expect(expressions).toContain('ct')
    expect(expressions).not.toContain('nat')
    expect(expressions).not.toContain('reject')
  })

  test('holds no VIP that a plane which serves again could take for one without backends', async () => {
    await converge(network.plane(), servicesOf(WEB, WEB6))
    await remains.retire()
    expect((await network.plane().observe()).services.size).toBe(0)
  })

  test('is not written twice', async () => {
    await converge(network.plane(), servicesOf(WEB))
    await remains.retire()
    const generation = await network.nftables.generation()
    expect(await remains.retire()).toBe(true)
    expect(await network.nftables.generation()).toBe(generation)
  })

  test('serves again when the plane is chosen again', async () => {
    await converge(network.plane(), servicesOf(WEB, WEB6))
    await remains.retire()
    await converge(network.plane(), servicesOf(WEB))
    await expectExactly(network.plane(), servicesOf(WEB))
  })

  test('stays while a connection to one of its VIPs is open; then all of it goes', async () => {
    const foreign = await network.foreign()
    await converge(network.plane(), servicesOf(WEB))
    await remains.retire()
    const at = (address: string, port: number) => ({ address: address as Ip, port })
    const client = at('10.0.0.9', 4000)
    conntrack.insert({
      protocol: 'tcp',
      original: { source: client, destination: at('11.0.0.1', 80) },
      reply: { source: at('10.0.0.1', 8080), destination: client },
      timeoutSeconds: 100,
    })
    expect(await remains.sweep()).toBe(false)
    await conntrack.delete([{ protocol: 'tcp', originalDestination: at('11.0.0.1', 80) }])
    expect(await remains.sweep()).toBe(true)
    expect(await network.nftables.table(TABLE)).toBeUndefined()
    expect((await network.routes.routes()).filter(({ protocol }) => protocol === 117)).toEqual([])
    expect(await network.foreign()).toBe(foreign)
    expect(await remains.retire()).toBe(false)
  })
})
