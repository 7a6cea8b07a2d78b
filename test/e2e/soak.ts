/**
 * `npm run soak -- --minutes 10 [--plane ebpf|nftables]`: kills the daemon under load for as long
 * as it is told; exits with 1 when a request failed.
 */
import { parseArgs } from 'node:util'
import { percentile } from '../../src/demo/load/load-report.ts'
import { killUnderLoad } from './kill-under-load.ts'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '5' }, plane: { type: 'string' } },
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
