/** Adds a host that was never there. */
import { backendAddresses, untilServed } from '../cluster/view.ts'
import type { ClusterHost } from '../host/cluster-host.ts'
import { ConnectionStream } from '../load/connection-stream.ts'
import { monotonicMs } from '../load/monotonic.ts'
import { untilAnsweredBy } from './kill.ts'
import { countsText, durationText, type Miss, missed, type Stage } from './stage.ts'

/** Far off what is meant: two seconds. */
const JOIN_BOUND_MS = 5_000

/** What was seen of a join. */
export interface JoinReport {
  readonly host: ClusterHost
  /** From the start of its daemon until it serves every VIP with the backends of all hosts. */
  readonly servesMs: number | undefined
  /** From the start of its daemon to the first connection from the first host that it answered. */
  readonly usedMs: number | undefined
}

/** Joins a host with one seed and the key, and prints how long it took. */
export async function showJoin(stage: Stage): Promise<Miss[]> {
  const { cluster, first, url, print } = stage
  const { host, servesMs, usedMs } = await joinHost(stage)
  if (servesMs !== undefined && usedMs !== undefined) {
    const report = await host.sendRequests(200, [url])
    const answers = countsText(Object.entries(byHost(report.spread)))
    const failures = countsText(Object.entries(report.failures))
    print(
      `${host.name} joins with one seed and the key: it serves every VIP after ${durationText(servesMs)},`,
    )
    print(
      `  ${first.name} uses it after ${durationText(usedMs)}; 200 requests from it: ${answers}; failed: ${failures}`,
    )
  }
  return [
    missed(
      `the join of ${host.name} to a cluster of ${cluster.running.length}`,
      servesMs,
      JOIN_BOUND_MS,
    ),
    missed(`the use of ${host.name} by ${first.name}`, usedMs, JOIN_BOUND_MS),
  ]
}

/** Joins a host under load from the first. */
export async function joinHost({
  cluster,
  first,
  url,
}: Pick<Stage, 'cluster' | 'first' | 'url'>): Promise<JoinReport> {
  const stream = ConnectionStream.start(first.places, { url })
  try {
    const host = await cluster.add()
    const wanted = backendAddresses(cluster.running)
    const startMs = monotonicMs()
    await cluster.startDaemon(host)
    const isServed = (await untilServed([host], wanted, 20_000)) !== undefined
    const servesMs = isServed ? monotonicMs() - startMs : undefined
    return { host, servesMs, usedMs: await untilAnsweredBy(stream, [host], startMs) }
  } finally {
    await stream.stop()
  }
}

function byHost(spread: Readonly<Record<string, number>>): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const [backend, count] of Object.entries(spread)) {
    const host = backend.split('-')[0] ?? ''
    counts[host] = (counts[host] ?? 0) + count
  }
  return counts
}
