import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MESOS_VERSIONS } from '../../../src/demo/mesos/rules.ts'
import { Violation } from '../violation.ts'
import { compareAgents } from './agent-oracle.ts'
import { openMasterFacts } from './facts-subject.ts'
import { drawRun, type MesosRun, runMesos } from './run.ts'
import { Scene } from './scene.ts'
import { parseSteps, shrinkRun, textOfSteps } from './shrink.ts'
import { STEP_KINDS, take } from './steps.ts'
import type { OpenSubject } from './subject.ts'

test.for(MESOS_VERSIONS)('Mesos %s: the facts are the truth, whatever happens', (version) => {
  const step = fc.record({
    kind: fc.constantFrom(...STEP_KINDS),
    which: fc.nat(999),
    amount: fc.nat(999),
  })
  const course = fc.record({ seed: fc.nat(), steps: fc.array(step, { maxLength: 60 }) })
  const holds = fc.property(course, ({ seed, steps }) => {
    const encoding = seed % 2 === 0 ? 'protobuf' : 'json'
    const run = { seed, version, encoding, steps, openSubject: openMasterFacts } as const
    expect(runMesos(run).failure).toBeUndefined()
  })
  fc.assert(holds, { numRuns: 100, seed: 1 })
})

test('a seed gives the same course again', () => {
  const told = (): readonly string[] => {
    const lines: string[] = []
    runMesos({ ...drawRun(11), say: (line) => lines.push(line) })
    return lines
  }
  expect(told()).toEqual(told())
  expect(told().length).toBeGreaterThan(20)
})

/** The product, but every third change of a task gets lost on the way. */
const openDeaf: OpenSubject = () => {
  const subject = openMasterFacts()
  let count = 0
  const { ear } = subject
  const hear = ear.hear.bind(ear)
  ear.hear = (bytes) => {
    const isChange = Buffer.from(bytes).includes('TASK_UPDATED')
    if (!isChange || ++count % 3 > 0) hear(bytes)
  }
  return subject
}

const whole = { cutsAnywhere: false, encoding: 'json' } as const

test('the oracle notices facts that miss every third change of a task', () => {
  const failures = Array.from({ length: 60 }, (_, seed) => {
    const run = { ...drawRun(seed), ...whole, openSubject: openDeaf }
    return runMesos(run).failure
  })
  const told = failures.filter((failure) => failure?.includes('by the stream') === true)
  expect(told.length).toBeGreaterThan(3)
})

test('a course that fails is shrunk to the few steps that matter, and these replay it', () => {
  const fails = (run: MesosRun) => runMesos({ ...run, openSubject: openDeaf }).failure
  const runs = Array.from({ length: 20 }, (_, seed) => ({ ...drawRun(seed), ...whole }))
  const failed = runs.find((run) => fails(run)?.includes('by the stream') === true)
  if (failed === undefined) throw new Error('none fails')
  expect(failed.steps.length).toBeGreaterThan(10)
  const { steps } = shrinkRun(failed, fails)
  expect(steps.length).toBeLessThan(6)
  const replayed = { ...failed, steps: parseSteps(textOfSteps(steps)) }
  expect(fails(replayed)).toContain('by the stream')
})

test('the oracle notices an agent that is read without its pods', () => {
  const scene = new Scene({ seed: 1, version: '1.11' })
  for (const kind of ['launch-pod', 'wait'] as const) take(scene, { kind, which: 0, amount: 999 })
  compareAgents(scene)
  const [agent] = scene.agents
  if (agent === undefined) throw new Error('no agent')
  expect(agent.tasks.live.length).toBeGreaterThan(1)
  Object.defineProperty(agent.tasks, 'messages', { value: agent.tasks.messages.slice(1) })
  expect(() => compareAgents(scene)).toThrow(Violation)
})
