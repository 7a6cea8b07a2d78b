/** Kills a host under load, and returns it. */
import type { ClusterHost } from '../host/cluster-host.ts'
import { type Attempt, answeringHost } from '../load/attempt.ts'
import { ConnectionStream, isAnswered } from '../load/connection-stream.ts'
import { monotonicMs } from '../load/monotonic.ts'
import { durationText, type Miss, missed, type Stage } from './stage.ts'

/** Far off what is meant: a dead host should be avoided within a second. */
const KILL_BOUND_MS = 2_000
const RETURN_BOUND_MS = 15_000
const CALM_MS = 1_000

/** What the load saw of a kill and a return. */
export interface KillReport {
  /** From the kill to the last new connection that went to the dead host. */
  readonly lastMs: number
  /** Failed connections that were begun after the kill. */
  readonly failed: number
  /** Failed connections that the kill broke. */
  readonly broken: number
  /** From power-on until agent, backends and daemon ran. */
  readonly runsMs: number
  /** From power-on to the first connection that the host answered; undefined: there was none. */
  readonly usedMs: number | undefined
}

/** Kills the last host under load from the first, returns it, and prints what the load saw. */
export async function showKill(stage: Stage): Promise<Miss[]> {
  const { cluster, first, print } = stage
  const victim = cluster.running.at(-1) ?? first
  const { lastMs, failed, broken, runsMs, usedMs } = await killAndReturn(stage, victim)
  print(`${victim.name} loses its power while ${first.name} opens 200 connections a second:`)
  const open = broken > 0 ? `, and the ${broken} that were open` : ''
  print(
    failed === 0
      ? `  no new connection went there${open && '; those that were open broke'}`
      : `  the last new connection went there after ${durationText(lastMs)}; ${failed} failed${open}`,
  )
  if (usedMs !== undefined) {
    print(
      `${victim.name} returns: it is used again ${durationText(usedMs)} after power-on` +
        ` (agent, backends and daemon ran after ${durationText(runsMs)})`,
    )
  }
  return [
    missed(`that no connection goes to a dead host`, lastMs, KILL_BOUND_MS),
    missed(`the use of a returned host`, usedMs, RETURN_BOUND_MS),
  ]
}

/** Kills and returns a host under load. */
export async function killAndReturn(
  { cluster, first, url }: Pick<Stage, 'cluster' | 'first' | 'url'>,
  victim: ClusterHost,
): Promise<KillReport> {
  const stream = ConnectionStream.start(first.places, { url })
  try {
    await untilAnsweredBy(stream, cluster.running, 0)
    const killedMs = monotonicMs()
    await cluster.kill(victim.name)
    await stream.untilCalm(CALM_MS, 30_000)
    const lost = stream.since(killedMs).filter((attempt) => isLost(attempt, victim))
    const broken = stream
      .since(0)
      .filter((attempt) => attempt.startedMs < killedMs && !isAnswered(attempt))
    const onMs = monotonicMs()
    await cluster.return(victim.name)
    const runsMs = monotonicMs() - onMs
    const usedMs = await untilAnsweredBy(stream, [victim], onMs)
    return {
      lastMs: Math.max(0, ...lost.map(({ startedMs }) => startedMs - killedMs)),
      failed: lost.length,
      broken: broken.length,
      runsMs,
      usedMs,
    }
  } finally {
    await stream.stop()
  }
}

/**
 * Waits until each of the hosts has answered a connection that was begun at or after `sinceMs`.
 *
 * @returns from then to the last of these first answers; undefined: not within 20 s
 */
export async function untilAnsweredBy(
  stream: ConnectionStream,
  hosts: readonly ClusterHost[],
  sinceMs: number,
): Promise<number | undefined> {
  const firsts = () =>
    hosts.map(({ name }) => stream.since(sinceMs).find((each) => answeringHost(each) === name))
  const isReached = await stream.until(() => firsts().every((each) => each !== undefined), 20_000)
  if (!isReached) return undefined
  return Math.max(...firsts().map((each) => (each?.endedMs ?? 0) - sinceMs))
}

/** Whether the attempt went to the host, or may have: a connection to a dead one has no answer. */
function isLost(attempt: Attempt, victim: ClusterHost): boolean {
  return !isAnswered(attempt) || answeringHost(attempt) === victim.name
}
