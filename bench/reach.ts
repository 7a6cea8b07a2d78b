/**
 * How long a new task cannot be reached from another node of the demo's cluster: from RUNNING at its
 * agent to the first answered request; with polls alone, and with masters that are followed.
 */
import { seededRandom } from '../src/base/random.ts'
import { isWell } from '../src/bin/status.ts'
import type { StatusView } from '../src/daemon/resources.ts'
import { Cluster } from '../src/demo/cluster/cluster.ts'
import { backendAddresses, untilServed } from '../src/demo/cluster/view.ts'
import { percentile } from '../src/demo/load/load-report.ts'
import { reachTimes } from '../src/demo/show/fresh-tasks.ts'
import { loadText } from './machine.ts'
import { digits } from './numbers.ts'
import { emptyPlaces, type Places } from './places.ts'
import { PLANES } from './planes.ts'
import type { Settings } from './settings.ts'
import type { Row } from './table.ts'

const HOSTS = 4
const TASKS = 120
const POLL_INTERVAL_MS = 250
const START_MS = 60_000

/** Measures reachability. */
export async function measureReach(places: Places, settings: Settings): Promise<Row[]> {
  const rows: Row[] = []
  for (const plane of PLANES) {
    settings.say(`${plane}, ${loadText()}`)
    const options = { places, hosts: HOSTS, backendsPerHost: 1, plane }
    const cluster = await Cluster.open(options)
    const polled = await measure(cluster, { prefix: '11.200.0', followsMasters: false })
    const hinted = await measure(cluster, { prefix: '11.200.1', followsMasters: true })
    const load = loadText()
    await emptyPlaces(places)
    rows.push({
      measure: `RUNNING to first answer from another of ${HOSTS} hosts, ms`,
      subject: `${plane}, masters followed, ${load}`,
      value: spreadText(hinted),
      baseline: `${spreadText(polled)} with polls each ${POLL_INTERVAL_MS} ms`,
      ratio: (percentile(hinted, 0.5) / percentile(polled, 0.5)).toFixed(2),
      target: 'p99 ≤ 200 ms',
    })
  }
  return rows
}

/** Starts the daemons anew and measures once they agree. The client's does not follow masters itself. */
async function measure(
  cluster: Cluster,
  { prefix, followsMasters }: { readonly prefix: string; readonly followsMasters: boolean },
): Promise<number[]> {
  await Promise.all(cluster.hosts.map((host) => host.killDaemon()))
  await cluster.startDaemons({ followsMasters })
  const wanted = backendAddresses(cluster.hosts)
  if ((await untilServed(cluster.hosts, wanted, START_MS)) === undefined) {
    throw new Error('the daemons do not serve the backends of all hosts')
  }
  const isCurrent = (text: string) => isWell(JSON.parse(text) as StatusView)
  for (const host of cluster.hosts) await host.waitFor('/v1/navstar/status', isCurrent, START_MS)
  const from = cluster.hosts.at(-1) ?? cluster.host('h1')
  const random = seededRandom(1)
  return reachTimes(cluster, { count: TASKS, prefix, from, pauseMs: POLL_INTERVAL_MS, random })
}

function spreadText(times: readonly number[]): string {
  const shares = [0.5, 0.9, 0.99].map((share) => digits(percentile(times, share)))
  return `p50 ${shares[0]}, p90 ${shares[1]}, p99 ${shares[2]}`
}
