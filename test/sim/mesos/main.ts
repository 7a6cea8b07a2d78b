/**
 * `npm run sim -- mesos --seeds A..B | --seed S [--trace] [--steps STEPS]`: random courses of a Mesos
 * cluster; one that fails is shrunk to the steps that matter.
 */
import { parseArgs } from 'node:util'
import { openMasterFacts } from './facts-subject.ts'
import { drawRun, type MesosRun, runMesos } from './run.ts'
import { parseSteps, shrinkRun, textOfSteps } from './shrink.ts'

/** Plays the courses; sets the exit code. */
export function playMesos(args: readonly string[]): void {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '1..1000' },
      seed: { type: 'string' },
      steps: { type: 'string' },
      trace: { type: 'boolean', default: false },
    },
  })
  const [first = '1', last = first] = (values.seed ?? values.seeds).split('..')
  const steps = values.steps === undefined ? {} : { steps: parseSteps(values.steps) }
  const startMs = performance.now()
  let failures = 0
  let events = 0
  for (let seed = Number(first); seed <= Number(last); seed++) {
    const run = { ...drawRun(seed), ...steps, openSubject: openMasterFacts }
    const result = runMesos({ ...run, ...(values.trace ? { say: console.log } : {}) })
    events += result.eventCount
    if (result.failure === undefined) continue
    failures++
    report(run, result.failure)
  }
  const count = Number(last) - Number(first) + 1
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
  console.log(`${count} runs, ${events} events in ${seconds} s, ${failures} failed`)
  if (failures > 0) process.exitCode = 1
}

function report(run: MesosRun, failure: string): void {
  const { seed, version } = run
  console.log(`FAILED seed ${seed}, Mesos ${version}: ${failure}`)
  const { steps } = shrinkRun(run, (shorter) => runMesos(shorter).failure)
  console.log(`  ${run.steps.length} steps, of which these matter: ${textOfSteps(steps)}`)
  const which = steps.length === 0 ? '' : ` --steps ${textOfSteps(steps)}`
  console.log(`  replay: npm run sim -- mesos --seed ${seed}${which} --trace`)
}
