import { expect, test } from 'vitest'
import type { NftOperation } from '../../../src/kernel/nftables.ts'
import { TABLE } from '../../../src/l4lb/planes/nftables/ruleset.ts'
import { FakeNetwork } from './fake-nftables.ts'

const RULE: NftOperation = {
  kind: 'addRule',
  table: TABLE,
  chain: 'services',
  expressions: [{ expr: 'verdict', code: 'drop' }],
}
const FOREIGN: NftOperation = { kind: 'addTable', table: 'docker' }

async function repaired() {
  const network = new FakeNetwork()
  const plane = network.plane()
  const { defects } = await plane.observe()
  await plane.apply([{ kind: 'repair', defects }])
  expect(await plane.audit()).toBe(true)
  const { nftables } = network
  let listings = 0
  const table = nftables.table.bind(nftables)
  nftables.table = (name) => {
    listings++
    return table(name)
  }
  const audits = async (count: number): Promise<number> => {
    const before = listings
    for (let index = 0; index < count; index++) expect(await plane.audit()).toBe(true)
    return listings - before
  }
  return { network, plane, audits }
}

test('an audit does not list the table while nobody changed nf_tables, one of 16 excepted', async () => {
  const { network, audits } = await repaired()
  expect(await audits(32)).toBe(2)
  await network.nftables.transaction([FOREIGN])
  await audits(1)
  expect(await audits(16)).toBe(1)
})

test('an audit finds a change of which no event came', async () => {
  const { network, plane } = await repaired()
  await network.nftables.transaction([RULE])
  expect(await plane.audit()).toBe(false)
  expect(await plane.audit(), 'as long as it is there').toBe(false)
})

test('an audit reads everything after an event', async () => {
  const { network, audits } = await repaired()
  await audits(1)
  network.tell({ kind: 'link', subject: 'eth0', isRemoval: false })
  expect(await audits(1)).toBe(1)
})

test('one of 16 audits finds a route that went without an event', async () => {
  const { network, plane } = await repaired()
  const own = (await network.routes.routes()).filter(({ protocol }) => protocol === 117)
  expect(own.length).toBeGreaterThan(0)
  await network.routes.applyRoutes(own.map((route) => ({ kind: 'deleteRoute', route })))
  const found: boolean[] = []
  for (let index = 0; index < 16; index++) found.push(await plane.audit())
  expect(found).toContain(false)
})
