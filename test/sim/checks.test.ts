import { describe, expect, it } from 'vitest'
import type { Effect, EngineInput } from '../../src/gossip/engine/effects.ts'
import { openFakeNotary } from './fake-notary.ts'
import { openRealEngine } from './open-engine.ts'
import { runScenario } from './run.ts'
import type { Scenario } from './scenario.ts'
import { SCENARIOS } from './scenarios.ts'
import type { OpenEngine, SimulatedEngine } from './seam.ts'
import { BY_REFERENCE } from './wires.ts'

type Tamper = (effects: readonly Effect[], engine: SimulatedEngine) => readonly Effect[]

/** Engines whose effects are altered from the thousandth input on. */
function tampered(tamper: Tamper): OpenEngine {
  let count = 0
  return (options) => {
    const engine = openRealEngine(options)
    const handle = engine.handle.bind(engine)
    engine.handle = (input: EngineInput, nowMs: number) => {
      const effects = handle(input, nowMs)
      return ++count > 1000 ? tamper(effects, engine) : effects
    }
    return engine
  }
}

function failureOf(scenario: Scenario, openEngine: OpenEngine): string | undefined {
  return runScenario({
    scenario,
    nodes: 5,
    seed: 1,
    openEngine,
    openNotary: openFakeNotary,
    wire: BY_REFERENCE,
  }).failure
}

/** The scenario where nothing goes wrong, so that only the tampering can. */
const calm = SCENARIOS['calm'] as Scenario

/** Alters what is shown of others' records. */
const eachRecord =
  (alter: (change: Records[number]) => Records): Tamper =>
  (effects, engine) =>
    effects.map((effect) =>
      effect.kind === 'records'
        ? {
            ...effect,
            changes: effect.changes.flatMap((change) =>
              change[0].startsWith(ownNode(engine) ?? '') ? [change] : alter(change),
            ),
          }
        : effect,
    )

type Records = Extract<Effect, { kind: 'records' }>['changes']

const eachMember =
  (alter: (member: Member) => Member): Tamper =>
  (effects, engine) =>
    effects.map((effect) =>
      effect.kind === 'members'
        ? {
            ...effect,
            changes: effect.changes.map(
              ([node, member]) =>
                [node, member && node !== ownNode(engine) ? alter(member) : member] as const,
            ),
          }
        : effect,
    )

type Member = NonNullable<Extract<Effect, { kind: 'members' }>['changes'][number][1]>

function forgottenOthers(engine: SimulatedEngine): readonly Effect[] {
  return [...engine.members()]
    .filter(({ isSelf }) => !isSelf)
    .map(({ id: node }) => ({ kind: 'event', event: { kind: 'forgotten', node } }))
}

function ownNode(engine: SimulatedEngine): string | undefined {
  return [...engine.members()].find(({ isSelf }) => isSelf)?.id
}

describe('invariants', () => {
  it('hold for the engine', () => {
    expect(failureOf(calm, openRealEngine)).toBeUndefined()
  })

  it.each<[string, Tamper, RegExp]>([
    [
      'an altered value',
      eachRecord(([id, row]) => [[id, row && { ...row, value: new Uint8Array(3) }]]),
      /^wholeness/,
    ],
    ['a record that is not shown', eachRecord(() => []), /^wholeness/],
    [
      'a higher incarnation',
      eachMember((row) => ({ ...row, incarnation: row.incarnation + 1 })),
      /^origin/,
    ],
    [
      'a living node that is forgotten',
      (effects, engine) => [...effects, ...forgottenOthers(engine)],
      /^eviction/,
    ],
    ['a falling version', eachMember((row) => ({ ...row, heldVersion: 1 })), /^monotony/],
    ['a doubt that nobody stated', eachMember((row) => ({ ...row, state: 'doubted' })), /^origin/],
    [
      'a datagram that is too large',
      (effects) =>
        effects.map((effect) =>
          effect.kind === 'send' && effect.channel === 'datagram'
            ? { ...effect, messages: Array(100).fill(effect.messages[0]) }
            : effect,
        ),
      /^bounds/,
    ],
  ])('find %s', (_, tamper, failure) => {
    expect(failureOf(calm, tampered(tamper))).toMatch(failure)
  })

  it('find engines that do not converge', () => {
    const silent: Tamper = (effects) => effects.filter(({ kind }) => kind !== 'send')
    const scenario = SCENARIOS['restart'] as Scenario
    expect(failureOf({ ...scenario, settleMs: 5000 }, tampered(silent))).toMatch(/^convergence/)
  })
})
