/**
 * `npm run soak -- --minutes 10 [--plane ebpf|nftables] [--switches 50]`: kills the daemon under load
 * for as long as it is told, then switches planes under open connections so many times; exits with 1
 * when a request failed or a connection broke.
 */
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { percentile } from '../../src/demo/load/load-report.ts'
import { killUnderLoad } from './kill-under-load.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    plane: { type: 'string' },
    switches: { type: 'string', default: '50' },
  },
})
const planes = (['ebpf', 'nftables'] as const).filter(
  (plane) => values.plane === undefined || values.plane === plane,
)

for (const plane of planes) {
  const endMs = Date.now() + (Number(values.minutes) * 60_000) / planes.length
  const { kills, loads, operationsAfterStart } = await killUnderLoad(
    plane,
    () => Date.now() < endMs,
  )
  const failures = loads.flatMap((load) => Object.entries(load.failures))
  const timesUs = loads.flatMap((load) => load.timesUs)
  const worstMs = (percentile(timesUs, 0.9999) / 1000).toFixed(1)
  console.log(
    `${plane}: ${kills} kills, ${timesUs.length} requests, p99.99 ${worstMs} ms, ` +
      `${operationsAfterStart} operations after starts, failures ${JSON.stringify(failures)}`,
  )
  if (failures.length > 0) process.exitCode = 1
}

if (values.switches !== '0') {
  const test = ['run', '--project', 'kernel', 'test/conformance/switch.test.ts']
  const env = { ...process.env, SWITCHES: values.switches }
  const { status } = spawnSync('vitest', test, { stdio: 'inherit', env })
  if (status !== 0) process.exitCode = 1
}
