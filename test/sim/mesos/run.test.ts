import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MESOS_VERSIONS } from '../../../src/demo/mesos/rules.ts'
import { drawRun, runMesos } from './run.ts'
import { STEP_KINDS } from './steps.ts'

test.for(MESOS_VERSIONS)('Mesos %s: what is told is what is, whatever happens', (version) => {
  const step = fc.record({
    kind: fc.constantFrom(...STEP_KINDS),
    which: fc.nat(999),
    amount: fc.nat(999),
  })
  const course = fc.record({ seed: fc.nat(), steps: fc.array(step, { maxLength: 60 }) })
  const holds = fc.property(course, ({ seed, steps }) => {
    expect(runMesos({ seed, version, isProtobuf: false, steps }).failure).toBeUndefined()
  })
  fc.assert(holds, { numRuns: 200, seed: 1 })
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
