import { describe, expect, test } from 'vitest'
import { parseOptions } from '../../../src/l4lb/advertise/options.ts'

function parse(...labels: readonly (readonly [option: string, value: string])[]) {
  const found = labels.map(([option, value]) => ({ vip: '/web:80', option, value }))
  const { options, problems } = parseOptions(found, '/web:80')
  return { options, problems: problems.map(({ code, message }) => `${code} ${message}`) }
}

describe('options of a VIP', () => {
  test.each([
    ['ALGORITHM', 'p2c-ewma', { algorithm: 'p2c-ewma' }],
    ['algorithm', ' Maglev ', { algorithm: 'maglev' }],
    ['AFFINITY', '300', { affinitySeconds: 300 }],
    ['AFFINITY', '5m', { affinitySeconds: 300 }],
    ['DRAIN', 'graceful', { drain: 'graceful' }],
    ['DRAIN', 'reset', { drain: 'reset' }],
    ['DRAIN', '30s', { drain: 30 }],
    ['LOCALITY', 'node', { locality: 'node' }],
    ['CONNECTION_LIMIT', '1000', { connectionLimit: 1000 }],
    ['SLOW_START', '1h', { slowStartSeconds: 3600 }],
  ])('%s: %s', (option, value, options) => {
    expect(parse([option, value])).toEqual({ options, problems: [] })
  })

  test.each([
    ['ALGORITHM', 'fastest', 'random, rr, least-conn, p2c-ewma, maglev'],
    ['AFFINITY', '8d', 'at most 7d'],
    ['AFFINITY', '0', 'a time such as'],
    ['AFFINITY', '-1', 'a time such as'],
    ['DRAIN', 'later', 'graceful, reset'],
    ['LOCALITY', '', 'node, zone, none'],
    ['CONNECTION_LIMIT', '0', 'a number from 1'],
    ['CONNECTION_LIMIT', '1e3', 'a number from 1'],
    ['COLOUR', 'red', 'options are ALGORITHM'],
    ['CONSTRUCTOR', 'red', 'options are ALGORITHM'],
  ])('%s: %s is reported', (option, value, expected) => {
    const { options, problems } = parse([option, value])
    expect(options).toEqual({})
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain('VIP_OPTION_INVALID')
    expect(problems[0]).toContain(expected)
  })

  test('what cannot be read leaves the others', () => {
    const { options, problems } = parse(['DRAIN', '?'], ['ALGORITHM', 'rr'])
    expect(options).toEqual({ algorithm: 'rr' })
    expect(problems).toHaveLength(1)
  })

  test('two values of one option are a contradiction, the same twice are not', () => {
    expect(parse(['DRAIN', '1s'], ['drain', '1s']).options).toEqual({ drain: 1 })
    const { options, problems } = parse(['DRAIN', '1s'], ['drain', '2s'])
    expect(options).toEqual({})
    expect(problems[0]).toContain("it is both '1s' and '2s'")
  })
})
