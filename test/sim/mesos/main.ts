/** `npm run sim -- mesos --seeds A..B | --seed S [--trace]`: random courses of a Mesos cluster. */
import { parseArgs } from 'node:util'
import { openMasterFacts } from './facts-subject.ts'
import { drawRun, runMesos } from './run.ts'

/** Plays the courses; sets the exit code. */
export function playMesos(args: readonly string[]): void {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '1..1000' },
      seed: { type: 'string' },
      trace: { type: 'boolean', default: false },
    },
  })
  const [first = '1', last = first] = (values.seed ?? values.seeds).split('..')
  const startMs = performance.now()
  let failures = 0
  let events = 0
  for (let seed = Number(first); seed <= Number(last); seed++) {
    const run = { ...drawRun(seed), openSubject: openMasterFacts }
    const result = runMesos({ ...run, ...(values.trace ? { say: console.log } : {}) })
    events += result.eventCount
    if (result.failure === undefined) continue
    failures++
    console.log(`FAILED seed ${seed}, Mesos ${run.version}: ${result.failure}`)
    console.log(`  replay: npm run sim -- mesos --seed ${seed} --trace`)
  }
  const count = Number(last) - Number(first) + 1
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
  console.log(`${count} runs, ${events} events in ${seconds} s, ${failures} failed`)
  if (failures > 0) process.exitCode = 1
}
