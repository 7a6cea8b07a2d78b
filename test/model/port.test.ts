import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  parsePort,
  parseProtocol,
  protocolFromNumber,
  protocolNumber,
  toPort,
} from '../../src/model/port.ts'

test.for(['1', '80', '65535', '00080'])('%s is a port', (text) => {
  expect(parsePort(text)).toBe(Number(text))
})

test.for(['0', '65536', '99999', '123456', '-1', '+1', '8.0', '1e3', '0x50', '', ' 80', 'http'])(
  '%j is no port',
  (text) => {
    expect(parsePort(text)).toBeUndefined()
  },
)

test('a port reads back from its text', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 65535 }), (number) => {
      expect(parsePort(String(number))).toBe(number)
      expect(toPort(number)).toBe(number)
    }),
  )
})

test.for([0, 65536, -1, 1.5, Number.NaN, '80', null, undefined])(
  '%j is no port number',
  (value) => {
    expect(toPort(value)).toBeUndefined()
  },
)

test('protocols are read in any case and have their numbers', () => {
  expect(['tcp', 'TCP', 'Udp', 'sctp', ''].map(parseProtocol)).toEqual([
    'tcp',
    'tcp',
    'udp',
    undefined,
    undefined,
  ])
  expect([protocolNumber('tcp'), protocolNumber('udp')]).toEqual([6, 17])
  expect([6, 17, 132].map(protocolFromNumber)).toEqual(['tcp', 'udp', undefined])
})
