/** How long a new task cannot be reached: from RUNNING at the agent to the first answered request. */
import { createInterface } from 'node:readline'
import { systemClock } from '../src/base/clock.ts'
import { seededRandom } from '../src/base/random.ts'
import { ClusterHost } from '../src/demo/host/cluster-host.ts'
import { percentile } from '../src/demo/load/load-report.ts'
import { hostAddresses } from '../src/demo/network/addresses.ts'
import { addFabric } from '../src/demo/network/fabric.ts'
import { buildLoad, serveIn, startReach } from './load.ts'
import { digits } from './numbers.ts'
import type { Places } from './places.ts'
import { PLANES } from './planes.ts'
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
    const number = index + 1
    const host = new ClusterHost(places, { number, containers: 1, plane })
    await host.create()
    await host.startAgent()
    await serveIn(host.places, host.places.container(1), PORT)
    await host.startDaemon('--mesos-poll-interval-ms', String(POLL_INTERVAL_MS))
    const times = await reachTimes(host, hostAddresses(number).container(1).ip)
    await host.killDaemon()
    rows.push({
      measure: 'RUNNING to first answer, ms',
      subject: plane,
      value: `p50 ${digits(percentile(times, 0.5))}, p99 ${digits(percentile(times, 0.99))}`,
      baseline: `agent asked each ${POLL_INTERVAL_MS} ms`,
      ratio: (percentile(times, 0.5) / POLL_INTERVAL_MS).toFixed(2),
      target: 'p99 ≤ 200 ms',
    })
  }
  return rows
}

/** Each task has a VIP of its own, which a client asks already before. */
async function reachTimes(host: ClusterHost, address: string): Promise<number[]> {
  const client = startReach(host.places)
  if (client.stdin === null || client.stdout === null) throw new Error('the client has no pipes')
  const lines = createInterface({ input: client.stdout })[Symbol.asyncIterator]()
  const random = seededRandom(1)
  const times: number[] = []
  for (let task = 1; task <= TASKS; task++) {
    const vip = `11.200.0.${task}:80`
    await systemClock.sleep(random.next() * POLL_INTERVAL_MS, {
      signal: AbortSignal.timeout(10_000),
    })
    client.stdin.write(`${vip}\n`)
    await expectLine(lines, 'asking')
    const startMs = systemClock.nowMs()
    const ports = [{ port: PORT, vips: [vip] }]
    await host.tellAgent({
      kind: 'add',
      task: { name: `reach-${task}`, network: 'container', addresses: [address], ports },
    })
    await expectLine(lines, 'answered')
    times.push(systemClock.nowMs() - startMs)
  }
  client.stdin.end()
  return times
}

async function expectLine(lines: AsyncIterator<string>, wanted: string): Promise<void> {
  const { value } = await lines.next()
  if (value !== wanted) throw new Error(`the client said ${value} instead of ${wanted}`)
}
