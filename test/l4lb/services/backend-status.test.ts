import { expect, test } from 'vitest'
import { type Ejection, endpointKeyOf } from '../../../src/l4lb/health/health-engine.ts'
import { backendStatuses } from '../../../src/l4lb/services/backend-status.ts'
import type { Backend, Service } from '../../../src/model/vip.ts'
import { ip, port } from '../records.ts'

function serviceOf(...backends: readonly Partial<Backend>[]): Service {
  return {
    ...{ address: ip('11.0.0.1'), port: port(80), protocol: 'tcp' },
    backends: backends.map((parts, index) => ({
      ...{ address: ip('10.0.0.1'), port: port(8000 + index), weight: 1 },
      ...parts,
    })),
  }
}

function ejectionOf(sinceMs: number): Ejection {
  return { sinceMs, why: '3 of the last 3 connections got no answer', probes: 0, nextProbeMs: 0 }
}

const NOTHING = { isPanicking: false, turns: new Map(), ejected: new Map() }

test('says in one clause how each backend stands, and its part', () => {
  const wanted = serviceOf(
    { weight: 3 },
    { weight: 0, drainReason: 'killing' },
    { weight: 0, drainReason: 'doubted' },
    { weight: 1 },
    { weight: 1 },
    { weight: 1 },
  )
  const given = serviceOf(
    { weight: 24 },
    { weight: 0 },
    { weight: 0 },
    { weight: 2 },
    { weight: 0 },
    { weight: 0 },
  )
  const failing = endpointKeyOf('tcp', { address: ip('10.0.0.1'), port: port(8004) })
  const statuses = backendStatuses({
    wanted,
    given,
    isPanicking: false,
    turns: new Map([['10.0.0.1:8001', 7]]),
    ejected: new Map([[failing, ejectionOf(9)]]),
  })
  expect(statuses.map(({ state, why }) => `${state}: ${why}`)).toEqual([
    'in: it is healthy',
    'draining: its task is being killed',
    'draining: its node is silent',
    'in: it is new and starts slowly',
    'out: 3 of the last 3 connections got no answer',
    'out: others are nearer',
  ])
  expect(statuses.map(({ share }) => Math.round(share * 26))).toEqual([24, 0, 0, 2, 0, 0])
  expect(statuses.map(({ sinceMs }) => sinceMs)).toEqual([
    undefined,
    7,
    undefined,
    undefined,
    9,
    undefined,
  ])
})

test('a failing backend that is kept because most fail says so', () => {
  const service = serviceOf({}, {})
  const ejected = new Map(
    service.backends.map((each) => [endpointKeyOf('tcp', each), ejectionOf(1)] as const),
  )
  const ground = { ...NOTHING, wanted: service, given: service, isPanicking: true, ejected }
  for (const { state, why } of backendStatuses(ground)) {
    expect(`${state}: ${why}`).toMatch(/^in: .*but most others fail too$/)
  }
})
