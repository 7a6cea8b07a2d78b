import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MESOS_VERSIONS } from '../../../src/demo/mesos/rules.ts'
import { openMasterFacts } from './facts-subject.ts'
import { drawRun, runMesos } from './run.ts'
import { STEP_KINDS } from './steps.ts'

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

test('the oracle notices facts that miss every third change of a task', () => {
  const openDeaf = () => {
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
  const failures = Array.from({ length: 60 }, (_, seed) => {
    const whole = { cutsAnywhere: false, encoding: 'json' } as const
    const run = { ...drawRun(seed), ...whole, openSubject: openDeaf }
    return runMesos(run).failure
  })
  const told = failures.filter((failure) => failure?.includes('by the stream') === true)
  expect(told.length).toBeGreaterThan(3)
})
