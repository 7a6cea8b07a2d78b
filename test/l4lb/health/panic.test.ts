import fc from 'fast-check'
import { expect, test } from 'vitest'
import { spare } from '../../../src/l4lb/health/panic.ts'
import type { Service } from '../../../src/model/vip.ts'
import { ip, port } from '../records.ts'
import { runs } from '../runs.ts'

function serviceWith(...weights: readonly number[]): Service {
  return {
    address: ip('11.0.0.1'),
    port: port(80),
    protocol: 'tcp',
    backends: weights.map((weight, index) => ({
      address: ip('10.0.0.1'),
      port: port(8000 + index),
      weight,
    })),
  }
}

function failing(...ports: readonly number[]) {
  return (backend: { readonly port: number }) => ports.includes(backend.port)
}

test('up to half of the active backends may be out', () => {
  const { service, isPanicking } = spare(serviceWith(1, 2, 1, 1), failing(8000, 8001))
  expect(service.backends.map(({ weight }) => weight)).toEqual([0, 0, 1, 1])
  expect(isPanicking).toBe(false)
})

test('when more fail, all stay', () => {
  const whole = serviceWith(1, 2, 1)
  expect(spare(whole, failing(8000, 8001))).toEqual({ service: whole, isPanicking: true })
  expect(spare(serviceWith(1), failing(8000)).isPanicking).toBe(true)
})

test('those that drain do not count', () => {
  const { service } = spare(serviceWith(1, 0, 0, 1), failing(8000, 8001))
  expect(service.backends.map(({ weight }) => weight)).toEqual([0, 0, 0, 1])
})

test('a service that could take connections still can', () => {
  const anyBackends = fc.array(fc.tuple(fc.nat(3), fc.boolean()), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(anyBackends, (backends) => {
      const whole = serviceWith(...backends.map(([weight]) => weight))
      const { service } = spare(whole, ({ port: number }) => backends[number - 8000]?.[1] === true)
      const couldTake = whole.backends.some(({ weight }) => weight > 0)
      expect(service.backends.some(({ weight }) => weight > 0)).toBe(couldTake)
    }),
    runs(300),
  )
})
