import { describe, expect, it } from 'vitest'
import { openFakeNotary } from './fake-notary.ts'
import { openRealEngine } from './open-engine.ts'
import { openRealNotary } from './real-notary.ts'
import { type RunOptions, type RunResult, runScenario } from './run.ts'
import type { Scenario } from './scenario.ts'
import { SCENARIOS } from './scenarios.ts'
import { BY_CODEC } from './wires.ts'

function run(name: string, options: Partial<RunOptions>): RunResult {
  return runScenario({
    scenario: SCENARIOS[name] as Scenario,
    nodes: 6,
    seed: 1,
    openEngine: openRealEngine,
    openNotary: openFakeNotary,
    wire: BY_CODEC,
    ...options,
  })
}

describe('gossip', () => {
  const cases = Object.keys(SCENARIOS).flatMap((name) => [1, 2].map((seed) => ({ name, seed })))

  it.each(cases)(
    'agrees after $name, seed $seed',
    ({ name, seed }) => {
      const replay = `npm run sim -- --scenario ${name} --nodes 6 --seed ${seed} --wire`
      expect(run(name, { seed }).failure, replay).toBeUndefined()
    },
    30_000,
  )

  it('agrees with real signatures', () => {
    expect(run('rolling', { nodes: 4, openNotary: openRealNotary }).failure).toBeUndefined()
  })

  it('does the same again for the same seed', () => {
    const [first, second] = [run('rolling', { seed: 5 }), run('rolling', { seed: 5 })]
    expect(second.eventCount).toBe(first.eventCount)
    expect([...second.checks.tally.events]).toEqual([...first.checks.tally.events])
    expect(run('rolling', { seed: 6 }).eventCount).not.toBe(first.eventCount)
  }, 30_000)
})
