/** How long a new task cannot be reached: from RUNNING at its agent to a client's first answer. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Random, systemRandom } from '../../base/random.ts'
import { BACKEND_PORT, type Cluster } from '../cluster/cluster.ts'
import type { ClusterHost } from '../host/cluster-host.ts'
import { percentile } from '../load/load-report.ts'
import { ReachClient } from '../load/reach-client.ts'
import { durationText, type Miss, missed, type Stage } from './stage.ts'

/** Which tasks are started, and who asks them. */
export interface FreshTasks {
  readonly count: number
  /** What their VIPs begin with, e.g. `11.200.0`. */
  readonly prefix: string
  /** Where the client is; the tasks are on the other hosts in turn, or here when it is alone. */
  readonly from: ClusterHost
  /** Up to this long passes between two, so that they meet polls at any moment. */
  readonly pauseMs: number
  readonly random: Random
}

/** Far off what is meant: 200 ms. */
const BOUND_MS = 2_000
const TASKS = 50

/** Starts tasks in two lanes, asked from the first host and from the last, and prints how soon they are reached. */
export async function showFreshTasks({ cluster, first, print }: Stage): Promise<Miss> {
  const clients = [...new Set([first, cluster.running.at(-1) ?? first])]
  const count = TASKS / clients.length
  const lanes = clients.map((from, lane) => {
    const prefix = `11.200.${lane}`
    return reachTimes(cluster, { count, prefix, from, pauseMs: 0, random: systemRandom })
  })
  const times = (await Promise.all(lanes)).flat()
  const [p50, p99] = [percentile(times, 0.5), percentile(times, 0.99)].map(durationText)
  print(
    `a task is reachable from another host after RUNNING: p50 ${p50}, p99 ${p99} (${TASKS} tasks)`,
  )
  return missed('that a new task is reachable', percentile(times, 0.99), BOUND_MS)
}

/**
 * Has the framework start tasks one after another, each with a VIP of its own that a client asks
 * already before; they are killed at the end. A backend that is there already answers for all.
 *
 * @returns how long each took, in milliseconds
 * @throws Error when one is never reached
 */
export async function reachTimes(cluster: Cluster, options: FreshTasks): Promise<number[]> {
  const { count, prefix, from, pauseMs, random } = options
  const others = cluster.running.filter((host) => host !== from)
  const hosts = others.length > 0 ? others : [from]
  const client = ReachClient.start(from.places)
  const times: number[] = []
  const taskIds: string[] = []
  try {
    for (let number = 1; number <= count; number++) {
      const host = hosts[number % hosts.length] ?? from
      const vip = `${prefix}.${number}:80`
      await sleep(random.next() * pauseMs)
      await client.ask(vip)
      const { taskId, runningMs } = await host.launch({
        name: 'fresh',
        network: 'container',
        addresses: [host.addresses.container(1).ip],
        ports: [{ port: BACKEND_PORT, vips: [vip] }],
      })
      taskIds.push(taskId)
      const answeredMs = await client.answeredMs()
      if (answeredMs === undefined) throw new Error(`${vip} on ${host.name} is not reached`)
      times.push(Math.max(0, answeredMs - runningMs))
    }
    await Promise.all(taskIds.map((taskId) => cluster.mesos.kill(taskId)))
  } finally {
    client.stop()
  }
  return times
}
