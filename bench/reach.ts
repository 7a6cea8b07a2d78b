/**
 * How long a new task cannot be reached from another node: from RUNNING at its agent to the first
 * answered request; with the polls of its node alone, and with a master that is followed.
 */
import { createInterface } from 'node:readline'
import { systemClock } from '../src/base/clock.ts'
import { seededRandom } from '../src/base/random.ts'
import { percentile } from '../src/demo/load/load-report.ts'
import { addFabric } from '../src/demo/network/fabric.ts'
import { buildLoad, startReach } from './load.ts'
import { digits } from './numbers.ts'
import type { Places } from './places.ts'
import { PLANES } from './planes.ts'
import { Pair } from './reach/pair.ts'
import type { Settings } from './settings.ts'
import type { Row } from './table.ts'

const TASKS = 50
const PORT = 9000
const POLL_INTERVAL_MS = 250

/** Measures reachability. */
export async function measureReach(places: Places, settings: Settings): Promise<Row[]> {
  await buildLoad()
  await addFabric(places)
  const rows: Row[] = []
  for (const [index, plane] of PLANES.entries()) {
    settings.say(plane)
    const number = 2 * index + 1
    const pollIntervalMs = POLL_INTERVAL_MS
    const pair = await Pair.open(places, { plane, number, port: PORT, pollIntervalMs })
    const polled = await reachTimes(pair, '11.200.0')
    await pair.startMaster()
    const hinted = await reachTimes(pair, '11.200.1')
    await pair.close()
    rows.push({
      measure: 'RUNNING to first answer from another node, ms',
      subject: `${plane}, master followed`,
      value: spreadText(hinted),
      baseline: `${spreadText(polled)} with polls each ${POLL_INTERVAL_MS} ms`,
      ratio: (percentile(hinted, 0.5) / percentile(polled, 0.5)).toFixed(2),
      target: 'p99 ≤ 200 ms',
    })
  }
  return rows
}

function spreadText(times: readonly number[]): string {
  return `p50 ${digits(percentile(times, 0.5))}, p99 ${digits(percentile(times, 0.99))}`
}

/** Each task has a VIP of its own below the prefix, which a client asks already before. */
async function reachTimes(pair: Pair, prefix: string): Promise<number[]> {
  const client = startReach(pair.near.places)
  if (client.stdin === null || client.stdout === null) throw new Error('the client has no pipes')
  const lines = createInterface({ input: client.stdout })[Symbol.asyncIterator]()
  const addresses = [pair.far.addresses.container(1).ip]
  const random = seededRandom(1)
  const times: number[] = []
  for (let task = 1; task <= TASKS; task++) {
    const vip = `${prefix}.${task}:80`
    await systemClock.sleep(random.next() * POLL_INTERVAL_MS, {
      signal: AbortSignal.timeout(10_000),
    })
    client.stdin.write(`${vip}\n`)
    await expectLine(lines, 'asking')
    const startMs = systemClock.nowMs()
    const ports = [{ port: PORT, vips: [vip] }]
    const isKnown = pair.run({ name: `reach-${vip}`, network: 'container', addresses, ports })
    await expectLine(lines, 'answered')
    times.push(systemClock.nowMs() - startMs)
    await isKnown
  }
  client.stdin.end()
  return times
}

async function expectLine(lines: AsyncIterator<string>, wanted: string): Promise<void> {
  const { value } = await lines.next()
  if (value !== wanted) throw new Error(`the client said ${value} instead of ${wanted}`)
}
