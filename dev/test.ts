/**
 * `npm test`: every check of the project, one after another, and one summary that counts passed,
 * failed and skipped tests and names each skip with its reason.
 */
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { countCargo, EMPTY, type Tally, verdictLine } from './tally.ts'
import { TALLY_FILE } from './tally-reporter.ts'

interface Step {
  readonly title: string
  readonly command: readonly string[]
  readonly count?: (output: string, code: number) => Promise<Tally> | Tally
}

const STEPS: readonly Step[] = [
  { title: 'format and lint', command: ['biome', 'check', '--error-on-warnings', '.'] },
  { title: 'types', command: ['tsc', '-b'] },
  { title: 'Rust format', command: ['cargo', 'fmt', '--all', '--check'] },
  {
    title: 'Rust lint',
    command: [
      'cargo',
      'clippy',
      '--locked',
      '--workspace',
      '--all-targets',
      '-q',
      '--',
      '-D',
      'warnings',
    ],
  },
  {
    title: 'Rust tests',
    command: [
      'cargo',
      'test',
      '--locked',
      '--workspace',
      '--',
      '--nocapture',
      '--test-threads',
      '2',
    ],
    count: countCargo,
  },
  {
    title: 'unit tests',
    command: ['vitest', 'run', '--project', 'unit'],
    count: countVitest,
  },
  {
    title: 'kernel, guest and end-to-end tests, one file after another',
    command: [
      'vitest',
      'run',
      ...['kernel', 'guest', 'e2e'].flatMap((project) => ['--project', project]),
      '--no-file-parallelism',
    ],
    count: countVitest,
  },
]

const failedSteps: string[] = []
let total: Tally = EMPTY
for (const { title, command, count } of STEPS) {
  console.log(`\n== ${title}: ${command.join(' ')}`)
  const startMs = performance.now()
  rmSync(TALLY_FILE, { force: true })
  const { code, output } = await runStep(command)
  if (code !== 0) failedSteps.push(title)
  if (count !== undefined) total = await addTally(total, () => count(output, code))
  console.log(
    `== ${title}: ${code === 0 ? 'ok' : 'FAILED'}, ${((performance.now() - startMs) / 1000).toFixed(1)} s`,
  )
}

console.log('\n== summary')
for (const { name, reason } of total.skips) console.log(`skipped: ${name}: ${reason}`)
for (const title of failedSteps) console.log(`failed step: ${title}`)
const failed = Math.max(total.failed, failedSteps.length)
console.log(verdictLine({ ...total, failed }))
process.exitCode = failed > 0 || total.passed === 0 ? 1 : 0

async function countVitest(): Promise<Tally> {
  return JSON.parse(await readFile(TALLY_FILE, 'utf8')) as Tally
}

/** A report that cannot be read counts as a failure. */
async function addTally(sum: Tally, counting: () => Promise<Tally> | Tally): Promise<Tally> {
  try {
    const { passed, failed, skips } = await counting()
    return {
      passed: sum.passed + passed,
      failed: sum.failed + failed,
      skips: [...sum.skips, ...skips],
    }
  } catch (error) {
    console.error('cannot read the test report', error)
    return { ...sum, failed: sum.failed + 1 }
  }
}

/** Runs a command, showing and keeping what it prints. */
async function runStep(command: readonly string[]): Promise<{ code: number; output: string }> {
  const [program = '', ...args] = command
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const { promise, resolve } = Promise.withResolvers<number>()
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
    process.stdout.write(chunk)
  })
  child.once('error', () => resolve(127))
  child.once('close', (code) => resolve(code ?? 1))
  return { code: await promise, output }
}
