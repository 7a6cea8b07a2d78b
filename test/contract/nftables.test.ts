import { expect, test } from 'vitest'
import { FakeNftables } from '../../src/kernel/fake/nftables.ts'
import { nftablesContract } from './nftables-contract.ts'
import { addPairs, addSet, addTable, deleteKeys, MAP } from './nftables-steps.ts'

nftablesContract('nf_tables in memory', async () => ({
  nftables: new FakeNftables(),
  close: () => undefined,
}))

test('a set with a limit refuses more, and takes others once some are gone', async () => {
  const nftables = new FakeNftables({ m: 2 })
  const answers = async (...steps: Parameters<FakeNftables['transaction']>[0]) =>
    (await nftables.transaction(steps)).map(({ name }) => name).join(' ')
  expect(await answers(addTable, addSet('m', MAP), addPairs('m', [1, 1], [2, 2]))).toBe('OK OK OK')
  expect(await answers(addPairs('m', [2, 2]))).toBe('OK')
  expect(await answers(addPairs('m', [3, 3]))).toBe('ENFILE')
  expect(await answers(deleteKeys('m', 1), addPairs('m', [3, 3]))).toBe('OK OK')
})
