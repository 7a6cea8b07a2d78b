import { expect, test } from 'vitest'
import { unsupportedOptions } from '../../../src/l4lb/planes/unsupported-options.ts'

const abilities = { algorithms: ['random', 'rr'], others: ['affinitySeconds'] } as const

test('a plane leaves out what it has no means for', () => {
  const options = { algorithm: 'maglev', affinitySeconds: 5, connectionLimit: 3 } as const
  expect(unsupportedOptions(options, abilities)).toEqual([
    { name: 'algorithm', reason: 'it knows random, rr' },
    { name: 'connectionLimit', reason: 'it has no means for it' },
  ])
})

test('what happens anyway, and what weights carry out, is left to nobody', () => {
  const options = {
    algorithm: 'rr',
    drain: 'graceful',
    locality: 'node',
    slowStartSeconds: 9,
  } as const
  expect(unsupportedOptions(options, abilities)).toEqual([])
  expect(unsupportedOptions(undefined, abilities)).toEqual([])
  expect(unsupportedOptions({ drain: 'reset' }, abilities)).toHaveLength(1)
})
