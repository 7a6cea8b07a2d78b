import { expect, test } from 'vitest'
import { FakeIpvs } from '../../src/kernel/fake/ipvs.ts'
import { ONE, PREPARATION, set, TWO, WEB } from './ipvs-cases.ts'
import { ipvsContract } from './ipvs-contract.ts'

ipvsContract('IPVS in memory', async () => ({ ipvs: new FakeIpvs(), close: () => undefined }))

test('what a test counts is observed and outlives a change of the destination', async () => {
  const ipvs = new FakeIpvs()
  await ipvs.apply(PREPARATION)
  ipvs.count(WEB, ONE, { activeConnections: 2, connections: 5 })
  ipvs.count(WEB, { ...ONE, port: 1 }, { connections: 1 })
  await ipvs.apply([set(WEB, { ...ONE, weight: 0 })])
  const destinations = (await ipvs.observe()).flatMap((service) => service.destinations)
  expect(destinations.find(({ address }) => address === ONE.address)).toMatchObject({
    weight: 0,
    activeConnections: 2,
    statistics: { connections: 5, incomingBytes: 0 },
  })
  expect(destinations.find(({ address }) => address === TWO.address)).toMatchObject({
    statistics: { connections: 0 },
  })
})
