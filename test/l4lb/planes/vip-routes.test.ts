import { describe, expect, test } from 'vitest'
import { FakeRouteTables } from '../../../src/kernel/fake/routes.ts'
import type { LinkAddress, Route } from '../../../src/kernel/routes.ts'
import { desiredRoutes, planRoutes } from '../../../src/l4lb/planes/nftables/vip-routes.ts'
import { ip } from '../records.ts'
import { RANGES } from './fake-ebpf.ts'

function address(linkIndex: number, text: string, scope = 0): LinkAddress {
  return { linkIndex, address: ip(text), prefixLength: 24, scope }
}

const FOUR = address(2, '10.0.0.1')
const SIX = address(2, 'fd0a::1')
const LINK_LOCAL = address(2, 'fe80::1', 253)
const OTHER_LINK = address(3, 'fd0b::1')

/** Addresses of the host, its node address, and the routes as `destination via link from source`. */
const CASES: readonly (readonly [string, readonly LinkAddress[], string, readonly string[]])[] = [
  ['one family', [FOUR], '10.0.0.1', ['11.0.0.0/8 2 10.0.0.1']],
  ['both families', [FOUR, SIX], '10.0.0.1', ['11.0.0.0/8 2 10.0.0.1', 'fd01:c::/64 2 fd0a::1']],
  ['a node on IPv6', [FOUR, SIX], 'fd0a::1', ['11.0.0.0/8 2 10.0.0.1', 'fd01:c::/64 2 fd0a::1']],
  ['only a link-local address', [FOUR, LINK_LOCAL], '10.0.0.1', ['11.0.0.0/8 2 10.0.0.1']],
  ['IPv6 on another link', [FOUR, OTHER_LINK], '10.0.0.1', ['11.0.0.0/8 2 10.0.0.1']],
  ['an address that is not on this host', [FOUR], '10.0.0.9', []],
]

test.each(CASES)('routes with %s', (...[, addresses, nodeIp, expected]) => {
  const routes = desiredRoutes(RANGES, addresses, ip(nodeIp))
  expect(
    routes.map((route) => `${route.destination} ${route.linkIndex} ${route.preferredSource}`),
  ).toEqual(expected)
})

describe('the plan of routes', () => {
  const link = { isUp: true, isLoopback: false, mtu: 1500 }
  const links = [
    { ...link, index: 2, name: 'eth0' },
    { ...link, index: 3, name: 'eth1' },
  ]
  const desired = desiredRoutes(RANGES, [FOUR, SIX], FOUR.address)

  async function repair(tables: FakeRouteTables): Promise<readonly string[]> {
    const { operations } = planRoutes(desired, await tables.routes())
    return (await tables.applyRoutes(operations)).map(({ name }) => name)
  }

  test('makes, moves and keeps ours', async () => {
    const tables = new FakeRouteTables({ links, addresses: [FOUR, SIX], routes: [] })
    expect(await repair(tables)).toEqual(['OK', 'OK'])
    expect(await repair(tables)).toEqual([])
    const moved = (await tables.routes()).map((route) => ({ ...route, linkIndex: 3 }))
    tables.edit({ routes: moved })
    expect(await repair(tables)).toEqual(['OK', 'OK', 'OK', 'OK'])
    expect(await tables.routes()).toEqual(desired)
  })

  test('is content with the route of another to the same block, and leaves it', async () => {
    const foreign: Route = {
      destination: '11.0.0.0/8',
      linkIndex: 3,
      table: 254,
      protocol: 4,
      scope: 253,
      type: 1,
    }
    const tables = new FakeRouteTables({ links, addresses: [FOUR, SIX], routes: [foreign] })
    expect(await repair(tables)).toEqual(['OK'])
    expect(await tables.routes()).toContainEqual(foreign)
    expect(planRoutes(desired, await tables.routes()).defects).toEqual([])
  })

  test('makes a route anew that lost its source with the address', async () => {
    const tables = new FakeRouteTables({ links, addresses: [FOUR, SIX], routes: [] })
    await repair(tables)
    for (const kind of ['deleteAddress', 'addAddress'] as const) {
      await tables.applyRoutes([FOUR, SIX].map((each) => ({ kind, address: each })))
    }
    expect(await repair(tables)).toEqual(['OK', 'OK', 'OK'])
    expect(planRoutes(desired, await tables.routes()).defects).toEqual([])
  })
})
