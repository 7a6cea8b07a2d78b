import { afterEach, beforeEach, expect, test } from 'vitest'
import { Scope } from '../../src/base/scope.ts'
import { VirtualClock } from '../../src/base/virtual-clock.ts'
import type { Effect, EngineInput } from '../../src/gossip/engine/effects.ts'
import { EngineRunner } from '../../src/gossip/engine-runner.ts'

/** An engine that is due when it is told. */
class ScriptedEngine {
  nextDueMs = Number.POSITIVE_INFINITY
  readonly handled: { kind: string; nowMs: number }[] = []
  effects: Effect[] = []

  handle({ kind }: EngineInput, nowMs: number): readonly Effect[] {
    this.handled.push({ kind, nowMs })
    if (kind === 'tick') this.nextDueMs = Number.POSITIVE_INFINITY
    return this.effects.splice(0)
  }
}

const clock = new VirtualClock()
let engine: ScriptedEngine
let runner: EngineRunner
let scope: Scope
let performed: string[]

beforeEach(() => {
  engine = new ScriptedEngine()
  performed = []
  scope = new Scope((error) => {
    throw error
  })
  runner = new EngineRunner({
    engine,
    clock,
    onHandled: () => performed.push('persisted'),
    perform: (effect) => {
      performed.push(effect.kind)
      if (effect.kind === 'send') runner.handle({ kind: 'unreachable', to: effect.to })
    },
  })
  scope.run((signal) => runner.run(signal))
})
afterEach(() => scope.close())

test('ticks when the engine is due, and not before', async () => {
  const startMs = clock.nowMs()
  engine.nextDueMs = startMs + 50
  runner.handle({ kind: 'start', seeds: [], members: [] })
  await clock.advance(49)
  expect(engine.handled.map(({ kind }) => kind)).toEqual(['start'])
  await clock.advance(1)
  expect(engine.handled.at(-1)).toEqual({ kind: 'tick', nowMs: startMs + 50 })
})

test('wakes up when the engine becomes due earlier', async () => {
  const startMs = clock.nowMs()
  engine.nextDueMs = startMs + 1000
  runner.handle({ kind: 'start', seeds: [], members: [] })
  await clock.advance(10)
  engine.nextDueMs = startMs + 20
  runner.handle({ kind: 'leave' })
  await clock.advance(10)
  expect(engine.handled.at(-1)).toEqual({ kind: 'tick', nowMs: startMs + 20 })
})

test('sleeps while nothing is ever due', async () => {
  await clock.advance(10_000_000)
  expect(engine.handled).toEqual([])
})

test('persists before it performs, and handles one input after the other', () => {
  const to = { endpoint: { address: '10.0.0.1' as never, port: 1 } }
  engine.effects = [{ kind: 'send', to, channel: 'stream', messages: [] }, { kind: 'complete' }]
  runner.handle({ kind: 'leave' })
  expect(performed).toEqual(['persisted', 'send', 'complete', 'persisted'])
  expect(engine.handled.map(({ kind }) => kind)).toEqual(['leave', 'unreachable'])
})

test('ends with its scope', async () => {
  engine.nextDueMs = clock.nowMs() + 10
  await scope.close()
  await clock.advance(100)
  expect(engine.handled).toEqual([])
})
