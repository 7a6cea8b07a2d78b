/** The demo: a cluster on this machine, from a task's label to a connection that survives a host. */
import { readFile } from 'node:fs/promises'
import { Cluster } from './cluster/cluster.ts'
import { backendAddresses, untilServed } from './cluster/view.ts'
import { openControl } from './control/control.ts'
import type { ClusterHost } from './host/cluster-host.ts'
import { type HeldPlaces, holdPlaces } from './places/hold.ts'
import { endProcesses } from './places/processes.ts'
import { showFreshTasks } from './show/fresh-tasks.ts'
import { howTo } from './show/how-to.ts'
import { showJoin } from './show/join.ts'
import { showKill } from './show/kill.ts'
import { showMasters } from './show/masters.ts'
import { showCut } from './show/partition.ts'
import { measureReach, reachDirectly } from './show/reach.ts'
import { durationText, type Miss, type Stage } from './show/stage.ts'

/** How the demo runs. */
export interface DemoOptions {
  /** How many hosts; from 1 on. */
  readonly hosts: number
  /** Shows what happens when hosts fail, join and are cut off, and ends; else it stays up. */
  readonly isOnce: boolean
  readonly plane: 'auto' | 'ebpf' | 'nftables' | 'ipvs'
  /** Resolves when the user has seen enough. */
  readonly interrupted: Promise<unknown>
  readonly print: (line: string) => void
}

const NAME = 'web.marathon.l4lb.thisdcos.directory'
const START_BOUND_MS = 20_000
const START_BOUND_PER_HOST_MS = 2_000

/** Runs the demo. @returns whether everything went as it should */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  const { print, interrupted } = options
  const held = await holdPlaces(process.pid.toString(36))
  const stopping = new AbortController()
  for (const id of held.swept) print(`removed what demo ${id} had left behind`)
  void interrupted.then(async () => {
    stopping.abort()
    await endProcesses(held.places.cgroup) // what waits for them fails now
  })
  try {
    return await show(held, { ...options, signal: stopping.signal })
  } catch (error) {
    if (stopping.signal.aborted) return false
    print(await lastWords(held))
    throw error
  } finally {
    await held.close()
    print('everything is removed')
  }
}

type Showing = DemoOptions & { readonly signal: AbortSignal }

async function show({ places }: HeldPlaces, options: Showing): Promise<boolean> {
  const { print, plane, isOnce, hosts, interrupted, signal } = options
  const backendsPerHost = hosts === 1 ? 3 : 2
  const cluster = await Cluster.open({ places, hosts, backendsPerHost, plane, signal })
  print(
    `${hosts} hosts, each with a Mesos agent, ${backendsPerHost} tasks labelled VIP_0: /web:80, and a daemon:`,
  )
  for (const host of cluster.hosts) {
    print(`  host ${host.name} is namespace ${host.places.namespace}, address ${host.ip}`)
  }
  const { requests } = await reachDirectly(cluster)
  print(
    `without navstar, containers reach the backends of all hosts by IPv4 and IPv6 (${requests} requests)`,
  )
  const stage = await startDaemons(cluster, print)
  signal.throwIfAborted()
  const misses: Miss[] = [await measureReach(stage), await showFreshTasks(stage)]
  if (isOnce) misses.push(...(await showFailures(stage, signal)))
  const found = misses.filter((miss) => miss !== undefined)
  for (const miss of found) print(miss)
  if (isOnce) return found.length === 0
  const control = await openControl(cluster, places, print)
  print(howTo(cluster, places, NAME))
  await interrupted
  await control.close()
  return found.length === 0
}

async function startDaemons(cluster: Cluster, print: (line: string) => void): Promise<Stage> {
  const [first] = cluster.hosts
  if (first === undefined) throw new Error('a demo needs a host')
  await cluster.startDaemons()
  const wanted = backendAddresses(cluster.hosts)
  const boundMs = START_BOUND_MS + START_BOUND_PER_HOST_MS * cluster.hosts.length
  const servedMs = await untilServed(cluster.hosts, wanted, boundMs)
  if (servedMs === undefined) throw new Error('the daemons do not serve the backends of all hosts')
  const answers = await Promise.all(cluster.hosts.map(addressesOf))
  const [addresses = []] = answers
  if (answers.some((other) => other.join() !== addresses.join())) {
    throw new Error(`the hosts give the name different addresses: ${answers.join(' | ')}`)
  }
  print(
    `the daemons are cluster ${cluster.id}; they serve the backends of all, ${durationText(servedMs)} after the last started`,
  )
  print(await chosenPlane(first))
  print(`${NAME} is ${addresses.join(' and ')} on every host`)
  return { cluster, first, url: `http://${addresses[0]}/`, print }
}

/** What a single host cannot show is left out: alone or with one other, a host holds itself cut off. */
async function showFailures(stage: Stage, signal: AbortSignal): Promise<Miss[]> {
  const { cluster } = stage
  const misses: Miss[] = await showMasters(stage)
  signal.throwIfAborted()
  if (cluster.running.length > 2) misses.push(...(await showKill(stage)))
  signal.throwIfAborted()
  misses.push(...(await showJoin(stage)))
  signal.throwIfAborted()
  if (cluster.running.length > 3) misses.push(...(await showCut(stage)))
  return misses
}

async function addressesOf(host: ClusterHost): Promise<readonly string[]> {
  const text = await host.run(['dig', '+short', NAME, 'A', NAME, 'AAAA'])
  return text.trim().split('\n')
}

async function chosenPlane(host: ClusterHost): Promise<string> {
  const { plane } = JSON.parse(await host.waitFor('/v1/navstar/status')) as {
    plane: { kind: string; reason: string }
  }
  return `the daemon chose plane ${plane.kind}: ${plane.reason}`
}

/** The end of each host's log. */
async function lastWords({ places }: HeldPlaces): Promise<string> {
  const words: string[] = []
  for (let number = 1; ; number++) {
    const path = `${places.stateDirectory}/h${number}.log`
    const log = await readFile(path, 'utf8').catch(() => undefined)
    if (log === undefined) return words.join('\n')
    words.push(`the daemon of h${number} logged last:`, ...log.trim().split('\n').slice(-4))
  }
}
