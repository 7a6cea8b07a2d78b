/** A vitest reporter that writes the counts and the reasons of skips for `npm test`. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Reporter, TestCase, TestModule } from 'vitest/node'
import type { Skip, Tally } from './tally.ts'

/** Where the counts go. */
export const TALLY_FILE = '.build/vitest-tally.json'

/** Counts tests at the end of a run. */
export class TallyReporter implements Reporter {
  onTestRunEnd(testModules: readonly TestModule[]): void {
    const tests = testModules.flatMap((module) => [...module.children.allTests()])
    const brokenFiles = testModules.filter((module) => module.errors().length > 0)
    const skips = tests.filter((test) => test.result().state === 'skipped').map(skipOf)
    const silent = skips.filter(({ reason }) => reason === '')
    for (const { name } of silent) process.stderr.write(`skip without a reason: ${name}\n`)
    const tally: Tally = {
      passed: tests.filter((test) => test.result().state === 'passed').length,
      failed:
        tests.filter((test) => test.result().state === 'failed').length +
        brokenFiles.length +
        silent.length,
      skips,
    }
    mkdirSync(dirname(TALLY_FILE), { recursive: true })
    writeFileSync(TALLY_FILE, JSON.stringify(tally))
  }
}

function skipOf(test: TestCase): Skip {
  const result = test.result()
  const note = result.state === 'skipped' ? (result.note ?? '') : ''
  return {
    name: `${test.module.relativeModuleId}: ${test.fullName}`,
    reason: note.replace(/^reason: /, ''),
  }
}
