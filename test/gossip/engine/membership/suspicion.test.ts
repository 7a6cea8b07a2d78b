import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { suspicionMs } from '../../../../src/gossip/engine/membership/suspicion.ts'
import { ENGINE_DEFAULTS } from '../../../../src/gossip/engine/settings.ts'

const settings = ENGINE_DEFAULTS

describe('the time that a doubted node has', () => {
  test.each([
    { accusers: 1, nodes: 50, ms: 50_969 },
    { accusers: 2, nodes: 50, ms: 29_732 },
    { accusers: 3, nodes: 50, ms: 17_309 },
    { accusers: 4, nodes: 50, ms: 8495 },
    { accusers: 1, nodes: 10, ms: 30_000 },
    { accusers: 4, nodes: 10, ms: 5000 },
    { accusers: 4, nodes: 10_000, ms: 20_000 },
    { accusers: 1, nodes: 10_000, ms: 120_000 },
    { accusers: 1, nodes: 3, ms: 30_000 },
    { accusers: 2, nodes: 3, ms: 5000 },
    { accusers: 2, nodes: 4, ms: 5000 },
  ])('with $accusers accusers among $nodes nodes is $ms ms', ({ accusers, nodes, ms }) => {
    expect(Math.round(suspicionMs(settings, { accusers, nodes }))).toBe(ms)
  })

  const anyNodes = fc.integer({ min: 0, max: 20_000 })
  const anyAccusers = fc.integer({ min: 0, max: 10 })

  test('lies between the minimum, stretched by the logarithm of the nodes, and six times that', () => {
    fc.assert(
      fc.property(anyNodes, anyAccusers, (nodes, accusers) => {
        const minMs = settings.minSuspicionMs * Math.max(1, Math.log10(Math.max(1, nodes)))
        const ms = suspicionMs(settings, { accusers, nodes })
        expect(ms).toBeGreaterThanOrEqual(minMs)
        expect(ms).toBeLessThanOrEqual(minMs * settings.suspicionFactor + 1e-6)
      }),
    )
  })

  test('never grows with another accuser, and falls with the second to the fourth in a large cluster', () => {
    fc.assert(
      fc.property(anyNodes, anyAccusers, (nodes, accusers) => {
        const before = suspicionMs(settings, { accusers, nodes })
        const after = suspicionMs(settings, { accusers: accusers + 1, nodes })
        expect(after).toBeLessThanOrEqual(before)
        if (nodes >= 6 && accusers >= 1 && accusers < 4) expect(after).toBeLessThan(before)
      }),
    )
  })

  test('never falls with more nodes once all four accusers can be there', () => {
    fc.assert(
      fc.property(fc.integer({ min: 6, max: 20_000 }), anyAccusers, (nodes, accusers) => {
        const before = suspicionMs(settings, { accusers, nodes })
        const after = suspicionMs(settings, { accusers, nodes: nodes + 1 })
        expect(after).toBeGreaterThanOrEqual(before)
      }),
    )
  })
})
