/** Loses the leading master, then all of them, while requests run. */
import type { StatusView } from '../../daemon/resources.ts'
import type { ClusterHost } from '../host/cluster-host.ts'
import { navstarProgram } from '../host/host-process.ts'
import { ConnectionStream, isAnswered } from '../load/connection-stream.ts'
import { monotonicMs } from '../load/monotonic.ts'
import { durationText, type Miss, missed, type Stage } from './stage.ts'

/** Far off what is meant: as soon as somebody leads again. */
const CURRENT_BOUND_MS = 15_000
const PATIENCE_MS = 30_000
/** How long requests go on without any master, at least. */
const ALONE_MS = 500

/** What was seen of masters that were lost. */
export interface MastersReport {
  /** The host of the lost leader, and from its loss until another was followed; undefined: there is only one master. */
  readonly failover:
    | { readonly leader: string; readonly next: string; readonly tookMs: number }
    | undefined
  /** What `navstar status` said is not current while there was no master. */
  readonly stale: readonly string[]
  /** From the return of all masters until all was current again. */
  readonly currentMs: number
  /** New connections over all that time, and how many of them failed. */
  readonly attempts: number
  readonly failed: number
}

/** Ends the leading master, then all, starts them again, and prints what was seen. */
export async function showMasters(stage: Stage): Promise<Miss[]> {
  const { first, print } = stage
  const { failover, stale, currentMs, attempts, failed } = await loseMasters(stage)
  if (failover !== undefined) {
    const { leader, next, tookMs } = failover
    print(
      `the leading master on ${leader} ends: ${first.name} follows that on ${next} after ${durationText(tookMs)}`,
    )
  }
  print(`all masters end; navstar status on ${first.name}:`)
  for (const line of stale) print(`  ${line.split(' (')[0]} …`)
  print(
    `the masters return: all is current after ${durationText(currentMs)}; of ${attempts} connections meanwhile ${failed} failed`,
  )
  return [
    missed('following another master', failover?.tookMs ?? 0, CURRENT_BOUND_MS),
    missed('following masters that returned', currentMs, CURRENT_BOUND_MS),
    failed === 0 ? undefined : `MISSED: ${failed} connections failed while masters were lost`,
    stale.length > 0 ? undefined : 'MISSED: navstar status told nothing of the lost masters',
  ]
}

/** Loses the leader, then all masters, under load from the first host; the others are left alone. */
export async function loseMasters({
  cluster,
  first,
  url,
}: Pick<Stage, 'cluster' | 'first' | 'url'>): Promise<MastersReport> {
  const { mesos, masters } = cluster
  const stream = ConnectionStream.start(first.places, { url })
  const startMs = monotonicMs()
  try {
    await stream.until((load) => load.since(startMs).length > 0, PATIENCE_MS)
    const failover = masters.length > 1 ? await loseLeader({ cluster, first }) : undefined
    for (const { ip } of masters) await mesos.endMaster(ip)
    const aloneMs = monotonicMs()
    await first.waitFor(STATUS, (text) => streamOf(text)?.state === 'stale', PATIENCE_MS)
    const stale = await staleLines(first)
    await stream.until((load) => load.since(aloneMs + ALONE_MS).length > 0, PATIENCE_MS)
    const returnMs = monotonicMs()
    await Promise.all(masters.map(({ ip }) => mesos.startMaster(ip)))
    await first.waitFor(STATUS, isCurrent, PATIENCE_MS)
    const currentMs = monotonicMs() - returnMs
    const attempts = stream.since(startMs)
    const failed = attempts.filter((attempt) => !isAnswered(attempt)).length
    return { failover, stale, currentMs, attempts: attempts.length, failed }
  } finally {
    await stream.stop()
  }
}

async function loseLeader({
  cluster,
  first,
}: Pick<Stage, 'cluster' | 'first'>): Promise<MastersReport['failover']> {
  const { mesos, masters } = cluster
  const nameOf = (ip: string | undefined) => masters.find((host) => host.ip === ip)?.name ?? 'none'
  const leader = await mesos.leader()
  if (leader === undefined) throw new Error('no master leads')
  const endMs = monotonicMs()
  await mesos.endMaster(leader)
  const isElsewhere = (text: string) =>
    isCurrent(text) && streamOf(text)?.from.startsWith(`${leader}:`) === false
  await first.waitFor(STATUS, isElsewhere, PATIENCE_MS)
  const tookMs = monotonicMs() - endMs
  const next = nameOf(await mesos.leader())
  await mesos.startMaster(leader)
  return { leader: nameOf(leader), next, tookMs }
}

const STATUS = '/v1/navstar/status'

function streamOf(text: string): StatusView['mesos']['sources'][number] | undefined {
  const { mesos } = JSON.parse(text) as StatusView
  return mesos.sources.find(({ source }) => source === 'stream')
}

/** Whether the node reads agent, leader and stream, and the master knows the agents. */
function isCurrent(text: string): boolean {
  const { mesos } = JSON.parse(text) as StatusView
  return mesos.sources.every(({ state }) => state === 'current')
}

/** The lines of `navstar status` that name something stale; it exits with 1 then. */
async function staleLines(host: ClusterHost): Promise<string[]> {
  const text = await host.run(['sh', '-c', '"$@" || true', 'sh', ...navstarProgram('status')])
  return text.split('\n').filter((line) => /^\S+ +(stale|searching|missing|absent) /.test(line))
}
