import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import type { BackendCounters } from '../../../src/l4lb/health/evidence.ts'
import {
  type EndpointKey,
  endpointKeyOf,
  HealthEngine,
} from '../../../src/l4lb/health/health-engine.ts'
import { ip, port } from '../records.ts'
import { runs } from '../runs.ts'

const TICK_MS = 250
const WEB = endpointKeyOf('tcp', { address: ip('10.0.0.1'), port: port(80) })
const OTHER = endpointKeyOf('tcp', { address: ip('10.0.0.2'), port: port(80) })

let engine: HealthEngine
let nowMs: number
let counters: Map<EndpointKey, BackendCounters>

beforeEach(() => {
  engine = new HealthEngine()
  nowMs = 1_000
  counters = new Map()
  tick({}, {})
})

/** A tick later: so much was added, so many wait now. */
function tick(...changes: readonly Partial<BackendCounters>[]): readonly EndpointKey[] {
  for (const [index, key] of [WEB, OTHER].entries()) {
    const { connections = 0, failures = 0 } = counters.get(key) ?? {}
    const change = changes[index] ?? {}
    counters.set(key, {
      connections: connections + (change.connections ?? 0),
      failures: failures + (change.failures ?? 0),
      pending: change.pending ?? 0,
    })
  }
  nowMs += TICK_MS
  return engine.observe(new Map(counters), nowMs)
}

describe('a backend goes out', () => {
  test('when connections are refused and hardly any succeeds', () => {
    tick({ connections: 1, failures: 2 }, { connections: 3 })
    expect(engine.ejected.size).toBe(0)
    expect(tick({ failures: 2 }, { connections: 3 })).toEqual([WEB])
    expect(engine.ejected.get(WEB)?.why).toMatch(/of the last \d+ connections got no answer/)
  })

  test('within a second of the first connection that hangs, long before the kernel gives up', () => {
    const startMs = nowMs
    while (!engine.ejected.has(WEB) && nowMs - startMs < 5_000) tick({ pending: 1 }, {})
    expect(nowMs - startMs).toBeLessThanOrEqual(1_250)
    expect([...engine.ejected.keys()]).toEqual([WEB])
  })

  test('within two looks when a busy one falls silent, however many got through before', () => {
    for (let turn = 0; turn < 40; turn++) tick({ connections: 50, pending: 1 }, {})
    expect(tick({ connections: 20, pending: 15 }, {})).toEqual([])
    expect(tick({ pending: 30 }, {})).toEqual([WEB])
    expect(engine.ejected.get(WEB)?.why).toBe('30 connections wait, and nobody gets through')
  })

  test('after less, where others doubt it', () => {
    engine.noteDoubts(new Set([WEB]))
    expect(tick({ failures: 1 }, { failures: 1 })).toEqual([WEB])
  })
})

describe('a backend stays', () => {
  test('while most connections succeed, however many fail', () => {
    for (let turn = 0; turn < 100; turn++) tick({ connections: 20, failures: 10 })
    expect(engine.ejected.size).toBe(0)
  })

  test('when connections wait but others get through: it is busy', () => {
    for (let turn = 0; turn < 100; turn++) tick({ connections: 1, pending: 5 })
    expect(engine.ejected.size).toBe(0)
  })

  test('when failures are rare', () => {
    for (let turn = 0; turn < 100; turn++) {
      tick({ failures: 1 })
      for (let quiet = 0; quiet < 10; quiet++) tick()
    }
    expect(engine.ejected.size).toBe(0)
  })

  test('when the kernel’s counters begin anew', () => {
    tick({ connections: 5, failures: 100 }, {})
    engine = new HealthEngine()
    counters.set(WEB, { connections: 500, failures: 500, pending: 0 })
    tick()
    counters.set(WEB, { connections: 0, failures: 2, pending: 0 })
    tick()
    expect(engine.ejected.size).toBe(0)
  })
})

describe('a backend that is out', () => {
  beforeEach(() => {
    tick({ failures: 5 })
    expect([...engine.ejected.keys()]).toEqual([WEB])
  })

  test('is probed after a moment, then less and less often', () => {
    const gaps: number[] = []
    for (let probe = 0; probe < 6; probe++) {
      gaps.push(engine.nextProbeMs - nowMs)
      nowMs = engine.nextProbeMs
      expect(engine.dueProbes(nowMs - 1)).toEqual([])
      expect(engine.dueProbes(nowMs)).toEqual([WEB])
      expect(engine.noteProbe(WEB, false, nowMs)).toBe(false)
    }
    expect(gaps).toEqual([250, 500, 1_000, 2_000, 2_000, 2_000])
  })

  test('is back with the first answer, and starts with a clean slate', () => {
    expect(engine.noteProbe(WEB, true, nowMs)).toBe(true)
    expect(engine.ejected.size).toBe(0)
    tick({ failures: 2 })
    expect(engine.ejected.size).toBe(0)
    expect(engine.noteProbe(WEB, true, nowMs)).toBe(false)
  })

  test('stays back while connections hang that the kernel sends again later', () => {
    tick({ pending: 9 })
    expect(engine.noteProbe(WEB, true, nowMs)).toBe(true)
    for (let turn = 0; turn < 20; turn++) expect(tick({ pending: 9 })).toEqual([])
    expect(tick({ pending: 4 })).toEqual([])
    expect(tick({ pending: 7 }, {})).toEqual([])
    expect(tick({ pending: 7 }, {})).toEqual([WEB])
  })

  test('is forgotten with its last VIP', () => {
    engine.observe(new Map(), nowMs)
    expect(engine.ejected.size).toBe(0)
    expect(engine.nextProbeMs).toBe(Number.POSITIVE_INFINITY)
  })
})

test('without a bad connection nobody ever goes out', () => {
  const anyTick = fc.record({ connections: fc.nat(50), isBusy: fc.boolean() })
  fc.assert(
    fc.property(fc.array(anyTick, { maxLength: 40 }), (ticks) => {
      engine = new HealthEngine()
      for (const { connections, isBusy } of ticks) {
        tick({ connections, pending: isBusy && connections > 0 ? 9 : 0 })
      }
      expect(engine.ejected.size).toBe(0)
    }),
    runs(200),
  )
})
