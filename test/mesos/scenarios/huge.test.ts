import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { writeSubscribed } from '../../../bench/subscribed/synthetic.ts'
import type { HugeReport } from './huge-main.ts'

const TASKS = 100_000

test.for([
  ['protobuf', 'application/x-protobuf'],
  ['json', 'application/json'],
] as const)(
  '100,000 tasks in %s: SUBSCRIBED gives all of them in three times the memory of the snapshot, an audit beside what is known in four',
  { timeout: 300_000 },
  async ([format, contentType]) => {
    const folder = await mkdtemp(join(tmpdir(), 'navstar-huge-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const path = join(folder, 'subscribed')
    const sizeBytes = await writeSubscribed(path, { tasks: TASKS, format })
    const main = fileURLToPath(new URL('huge-main.ts', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--expose-gc',
      main,
      path,
      contentType,
    ])
    const report = JSON.parse(stdout) as HugeReport
    expect(report).toMatchObject({ tasks: TASKS, agents: TASKS / 10, placed: TASKS })
    const [stream, audit] = report.peakBytes
    expect(stream).toBeLessThan(3 * sizeBytes)
    // When the chunks of both readings are collected is chance: 2.4 to 3.5 times have been seen.
    expect(audit).toBeLessThan(4 * sizeBytes)
  },
)
