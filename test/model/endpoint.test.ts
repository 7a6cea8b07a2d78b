import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseEndpoint } from '../../src/model/endpoint.ts'
import { type Port, toPort } from '../../src/model/port.ts'
import { taskKeyOf } from '../../src/model/task.ts'
import { formatEndpoint, parseServiceKey, serviceKeyOf } from '../../src/model/vip.ts'
import { anyIp } from './addresses.ts'

const anyPort = fc.integer({ min: 1, max: 65535 }).map((number) => toPort(number) as Port)

test('an endpoint reads back as it was written', () => {
  fc.assert(
    fc.property(anyIp, anyPort, (address, port) => {
      expect(parseEndpoint(formatEndpoint({ address, port }))).toEqual({ address, port })
    }),
  )
})

test.for([
  ['10.0.0.1', { address: '10.0.0.1', port: 53 }],
  ['fd00::2', { address: 'fd00::2', port: 53 }],
  ['[fd00::2]', { address: 'fd00::2', port: 53 }],
  ['127.0.0.1:0', { address: '127.0.0.1', port: 0 }],
] as const)('%s is an endpoint', ([text, endpoint]) => {
  expect(parseEndpoint(text, 53)).toEqual(endpoint)
})

test.for([
  '',
  ':53',
  'host:53',
  '1.2.3.4:',
  '1.2.3.4:65536',
  '1.2.3.4:x',
  '[::1',
  '::1]:53',
  '[1.2.3.4]x',
])('%j is no endpoint', (text) => {
  expect(parseEndpoint(text, 53)).toBeUndefined()
})

test('without a default a port must be there', () => {
  expect(parseEndpoint('10.0.0.1')).toBeUndefined()
  expect(parseEndpoint('fd00::2')).toBeUndefined()
})

test('a service key reads back and tells services apart', () => {
  const service = fc.record({
    address: anyIp,
    port: anyPort,
    protocol: fc.constantFrom('tcp' as const, 'udp' as const),
  })
  fc.assert(
    fc.property(service, service, (one, other) => {
      expect(parseServiceKey(serviceKeyOf(one))).toEqual(one)
      const isSame = JSON.stringify(one) === JSON.stringify(other)
      expect(serviceKeyOf(one) === serviceKeyOf(other)).toBe(isSame)
    }),
  )
})

test('a task is keyed by framework and task', () => {
  expect(taskKeyOf('f-1', 't.1')).toBe('f-1/t.1')
})
