import { describe, expect, test } from 'vitest'
import { describeOperation, planOperations } from '../../src/l4lb/plan.ts'
import type { PlaneOperation } from '../../src/l4lb/plane.ts'
import { renderBackends, renderDamaged, renderSlots } from '../../src/l4lb/planes/render.ts'
import type { Service, ServiceKey } from '../../src/model/vip.ts'
import { service, servicesOf } from './services.ts'

const plane = { render: ({ backends }: Service) => renderBackends(backends) }
const A = service('tcp/11.0.0.1/80', '10.0.0.1:8080')
const B = service('tcp/11.0.0.2/80', '10.0.0.2:8080')
const A_KEY = 'tcp/11.0.0.1/80' as ServiceKey
const B_KEY = 'tcp/11.0.0.2/80' as ServiceKey

function held(services: Readonly<Record<string, string>>): Map<ServiceKey, string> {
  return new Map(Object.entries(services) as [ServiceKey, string][])
}

function textsOf(operations: readonly PlaneOperation[]): string[] {
  return operations.map((operation) => describeOperation(operation, plane))
}

describe('the plan', () => {
  const observed = {
    services: held({ [A_KEY]: '10.0.0.9:8080', 'tcp/11.0.0.3/80': '' }),
    defects: ['table missing', 'route missing'],
  }

  test('repairs, then puts what is missing or differs, then removes', () => {
    const desired = servicesOf(B, A)
    expect(textsOf(planOperations({ desired, observed, plane, mayPrune: true }))).toEqual([
      'repair table missing; route missing',
      'put    tcp/11.0.0.2/80: 10.0.0.2:8080',
      'put    tcp/11.0.0.1/80: 10.0.0.1:8080',
      'remove tcp/11.0.0.3/80',
    ])
  })

  test('removes nothing while it must not', () => {
    const operations = planOperations({ desired: servicesOf(A), observed, plane, mayPrune: false })
    expect(operations.map(({ kind }) => kind)).toEqual(['repair', 'put'])
  })

  test('is about the given services only', () => {
    const desired = servicesOf(A, B)
    const operations = planOperations({
      desired,
      observed,
      plane,
      mayPrune: true,
      keys: [B_KEY, B_KEY],
    })
    expect(textsOf(operations).slice(1)).toEqual(['put    tcp/11.0.0.2/80: 10.0.0.2:8080'])
  })

  test('is empty when all is well', () => {
    const services = held({ [A_KEY]: '10.0.0.1:8080' })
    const desired = servicesOf(A)
    expect(
      planOperations({ desired, observed: { services, defects: [] }, plane, mayPrune: true }),
    ).toEqual([])
  })

  test('names services, and says when there is no backend', () => {
    const named = { ...A, name: 'web.marathon', backends: [] }
    const operation = { kind: 'put', key: A_KEY, service: named } as const
    expect(describeOperation(operation, plane)).toBe(
      'put    tcp/11.0.0.1/80 (web.marathon): no backends',
    )
  })
})

test.each([
  [[], ''],
  [['10.0.0.2:80', '10.0.0.1:80'], '10.0.0.1:80, 10.0.0.2:80'],
  [['10.0.0.1:80 x3', '[fd00::1]:80 x0'], '10.0.0.1:80 ×3, [fd00::1]:80 draining'],
])('backends %j are rendered as %j', (backends, expected) => {
  expect(renderBackends(service('tcp/11.0.0.1/80', ...backends).backends)).toBe(expected)
})

test('slots are rendered as weights, and damage as nothing that is desired', () => {
  const { backends } = service('tcp/11.0.0.1/80', '10.0.0.1:80', '10.0.0.2:80', '10.0.0.1:80')
  expect(renderSlots(backends)).toBe('10.0.0.1:80 ×2, 10.0.0.2:80')
  expect(renderDamaged('holes')).toBe('damaged: holes')
})
