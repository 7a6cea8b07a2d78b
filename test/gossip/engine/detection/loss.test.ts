import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Loss } from '../../../../src/gossip/engine/detection/loss.ts'

/** Loss as it is seen after so many samples with this share lost. */
function lossAt(share: number, samples = 2000): Loss {
  const loss = new Loss()
  for (let sample = 0; sample < samples; sample++) {
    loss.sample(Math.floor((sample + 1) * share) > Math.floor(sample * share))
  }
  return loss
}

describe('evidence', () => {
  test('assumes two percent for pings and four for relays where nothing is lost', () => {
    const loss = lossAt(0)
    expect(loss.pingEvidence).toBeCloseTo(-Math.log(0.02), 9)
    expect(loss.relayEvidence).toBeCloseTo(-Math.log(0.04), 9)
    expect(new Loss().pingEvidence).toBe(loss.pingEvidence)
  })

  test.each([0.1, 0.2, 0.5])('of a silence under a loss of %f is minus its logarithm', (share) => {
    const loss = lossAt(share)
    expect(Math.exp(-loss.pingEvidence)).toBeGreaterThan(share * 0.9)
    expect(Math.exp(-loss.pingEvidence)).toBeLessThan(share * 1.1)
  })

  test('of a relay stands for two ways, that of a ping for one', () => {
    const loss = lossAt(0.2)
    const ping = Math.exp(-loss.pingEvidence)
    expect(Math.exp(-loss.relayEvidence)).toBeCloseTo(1 - (1 - ping) ** 2, 9)
  })

  test('never vanishes: even when everything is lost a silence says something', () => {
    const loss = lossAt(1)
    expect(loss.pingEvidence).toBeCloseTo(-Math.log(0.9), 9)
    expect(loss.relayEvidence).toBeCloseTo(-Math.log(0.9), 9)
  })

  test('falls with each loss and rises with each answer, within bounds', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 300 }), (samples) => {
        const loss = new Loss()
        for (const isLost of samples) {
          const { pingEvidence, relayEvidence } = loss
          loss.sample(isLost)
          if (isLost) {
            expect(loss.pingEvidence).toBeLessThanOrEqual(pingEvidence)
            expect(loss.relayEvidence).toBeLessThanOrEqual(relayEvidence)
          } else {
            expect(loss.pingEvidence).toBeGreaterThanOrEqual(pingEvidence)
            expect(loss.relayEvidence).toBeGreaterThanOrEqual(relayEvidence)
          }
          expect(loss.pingEvidence).toBeGreaterThan(0.1)
          expect(loss.relayEvidence).toBeLessThanOrEqual(loss.pingEvidence)
        }
      }),
    )
  })

  test('forgets: a hundred answers after a bad time count for more than that time', () => {
    const loss = lossAt(0.5)
    for (let sample = 0; sample < 100; sample++) loss.sample(false)
    expect(Math.exp(-loss.pingEvidence)).toBeLessThan(0.15)
  })
})
