import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { endpointKeyOf } from '../../../src/l4lb/health/health-engine.ts'
import { ServiceShaper } from '../../../src/l4lb/services/shaper.ts'
import { type Backend, type Service, serviceKeyOf } from '../../../src/model/vip.ts'
import type { VipOptions } from '../../../src/model/vip-options.ts'
import { ip, port } from '../records.ts'
import { runs } from '../runs.ts'

type Brief = readonly [weight: number, near?: 'node' | 'zone']

let shaper: ServiceShaper

beforeEach(() => {
  shaper = new ServiceShaper()
})

function backend(index: number, [weight, near]: Brief): Backend {
  return { address: ip('10.0.0.1'), port: port(8000 + index), weight, ...(near && { near }) }
}

function serviceWith(backends: readonly Brief[], options?: VipOptions): Service {
  return {
    ...{ address: ip('11.0.0.1'), port: port(80), protocol: 'tcp' },
    backends: backends.map((brief, index) => backend(index, brief)),
    ...(options && { options }),
  }
}

const KEY = serviceKeyOf(serviceWith([]))

function give(service: Service | undefined, nowMs = 0): number[] | undefined {
  return weightsIn(shaper.update(new Map([[KEY, service]]), nowMs))
}

function weightsIn(changes: ReturnType<ServiceShaper['tick']>): number[] | undefined {
  return changes.get(KEY)?.backends.map(({ weight }) => weight)
}

function fail(...indexes: readonly number[]) {
  return new Set(indexes.map((index) => endpointKeyOf('tcp', backend(index, [1]))))
}

test('without options and failures a service stays the same object', () => {
  const service = serviceWith([[1], [3], [0]])
  shaper.settle()
  expect(shaper.update(new Map([[KEY, service]]), 5).get(KEY)).toBe(service)
  expect(give(undefined)).toBeUndefined()
  expect(shaper.wanted(KEY)).toBeUndefined()
})

describe('health', () => {
  test('takes a failing backend out and back in, and touches no other service', () => {
    const other = { ...serviceWith([[1]]), port: port(81) }
    shaper.update(new Map([[serviceKeyOf(other), other]]), 0)
    give(serviceWith([[1], [1], [1]]))
    const out = shaper.setFailing(fail(1), 1)
    expect([...out.keys()]).toEqual([KEY])
    expect(weightsIn(out)).toEqual([1, 0, 1])
    expect(weightsIn(shaper.setFailing(fail(), 2))).toEqual([1, 1, 1])
    expect(shaper.setFailing(fail(), 3).size).toBe(0)
  })

  test('keeps all when most fail, and says so', () => {
    give(serviceWith([[1], [1], [1]]))
    shaper.setFailing(fail(0), 1)
    expect(weightsIn(shaper.setFailing(fail(0, 1), 2))).toEqual([1, 1, 1])
    expect(shaper.isPanicking(KEY)).toBe(true)
  })

  test('holds for what the records bring later', () => {
    shaper.setFailing(fail(0), 0)
    expect(give(serviceWith([[1], [1]]))).toEqual([0, 1])
  })
})

describe('locality', () => {
  const backends: readonly Brief[] = [[1, 'node'], [1, 'zone'], [1], [0]]

  test.each([
    ['none', [1, 1, 1, 0]],
    ['node', [1, 0, 0, 0]],
    ['zone', [1, 1, 0, 0]],
  ] as const)('%s', (locality, weights) => {
    expect(give(serviceWith(backends, { locality }))).toEqual(weights)
  })

  test('spills over to the zone, then everywhere, when nobody near takes connections', () => {
    expect(give(serviceWith([[0, 'node'], [1, 'zone'], [1]], { locality: 'node' }))).toEqual([
      0, 1, 0,
    ])
    expect(give(serviceWith([[0, 'node'], [0, 'zone'], [1]], { locality: 'node' }))).toEqual([
      0, 0, 1,
    ])
  })

  test('spills over when those near fail', () => {
    give(serviceWith([[1, 'node'], [1], [1]], { locality: 'node' }))
    expect(weightsIn(shaper.setFailing(fail(0), 1))).toEqual([0, 1, 1])
  })
})

describe('slow start', () => {
  const options = { slowStartSeconds: 8 }

  test('gives a new backend a share that grows to the whole', () => {
    give(serviceWith([[1]], options))
    shaper.settle()
    expect(give(serviceWith([[1], [1]], options), 1_000)).toEqual([8, 1])
    const seen: (number | undefined)[] = []
    let nowMs = 1_000
    while (shaper.tickMs < Number.POSITIVE_INFINITY && nowMs < 60_000) {
      nowMs += shaper.tickMs
      seen.push(weightsIn(shaper.tick(nowMs))?.[1])
    }
    expect(nowMs).toBe(9_000)
    expect(seen.filter((weight) => weight !== undefined)).toEqual([2, 3, 4, 5, 6, 7, 1])
  })

  test('does not apply to what was there before this daemon', () => {
    expect(give(serviceWith([[1], [1]], options))).toEqual([1, 1])
    expect(shaper.tickMs).toBe(Number.POSITIVE_INFINITY)
  })

  test('applies to one that becomes healthy', () => {
    give(serviceWith([[1], [0]], options))
    shaper.settle()
    expect(give(serviceWith([[1], [1]], options), 100)).toEqual([8, 1])
    expect(shaper.turnsOf(KEY)).toEqual(new Map([['10.0.0.1:8001', 100]]))
  })
})

test('a service that could take connections can, however it is shaped', () => {
  const anyBrief = fc.tuple(fc.nat(2), fc.constantFrom('node' as const, 'zone' as const, undefined))
  const anyOptions = fc.record(
    {
      locality: fc.constantFrom('node' as const, 'zone' as const, 'none' as const),
      slowStartSeconds: fc.integer({ min: 1, max: 60 }),
    },
    { requiredKeys: [] },
  )
  const anyCourse = fc.record({
    backends: fc.array(anyBrief, { minLength: 1, maxLength: 8 }),
    options: anyOptions,
    failing: fc.array(fc.nat(7)),
    nowMs: fc.nat(120_000),
  })
  fc.assert(
    fc.property(anyCourse, ({ backends, options, failing, nowMs }) => {
      shaper = new ServiceShaper()
      shaper.settle()
      const wanted = serviceWith(
        backends.map(([weight, near]) => (near === undefined ? [weight] : [weight, near])),
        options,
      )
      shaper.setFailing(fail(...failing), 0)
      const first = give(wanted, 0)
      const later = weightsIn(shaper.tick(nowMs)) ?? first
      const couldTake = backends.some(([weight]) => weight > 0)
      expect(later?.some((weight) => weight > 0)).toBe(couldTake)
      for (const [index, [weight]] of backends.entries()) {
        if (weight === 0) expect(later?.[index]).toBe(0)
      }
    }),
    runs(500),
  )
})
