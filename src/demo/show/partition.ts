/** Cuts the cluster in two and heals it. */
import { backendAddresses, untilServed } from '../cluster/view.ts'
import type { ClusterHost } from '../host/cluster-host.ts'
import { answeringHost, countByHost } from '../load/attempt.ts'
import { ConnectionStream, isAnswered } from '../load/connection-stream.ts'
import { monotonicMs } from '../load/monotonic.ts'
import { countsText, durationText, type Miss, missed, type Stage } from './stage.ts'

/** Far off what is meant: a second. */
const CUT_BOUND_MS = 5_000
/** Far off what is meant: seconds. */
const HEAL_BOUND_MS = 20_000
const CALM_MS = 1_000

/** What one side saw. */
export interface SideReport {
  readonly hosts: readonly ClusterHost[]
  /** From the cut to the last new connection that went across. */
  readonly lastMs: number
  readonly failed: number
  /** Who answered once that was over. */
  readonly answers: ReadonlyMap<string, number>
}

/** What was seen of a cut. */
export interface CutReport {
  readonly sides: readonly SideReport[]
  /** From the heal until every host serves the backends of all; undefined: not in time. */
  readonly agreesMs: number | undefined
  /** Whether, after that, both sides got answers from all. */
  readonly isUsed: boolean
}

/** Cuts the cluster into halves, heals it, and prints what each side saw. */
export async function showCut(stage: Stage): Promise<Miss[]> {
  const { cluster, print } = stage
  const { running } = cluster
  const middle = Math.floor(running.length / 2)
  const report = await cutAndHeal(stage, [running.slice(0, middle), running.slice(middle)])
  const texts = report.sides.map(({ hosts }) => names(hosts))
  print(`the network is cut: ${texts.join(' | ')}`)
  for (const { hosts, lastMs, failed, answers } of report.sides) {
    print(
      `  from ${hosts[0]?.name}: the last new connection across after ${durationText(lastMs)},` +
        ` ${failed} failed; then answer ${countsText(answers)}`,
    )
  }
  const { agreesMs, isUsed } = report
  if (agreesMs !== undefined) print(`healed: all agree after ${durationText(agreesMs)}`)
  return [
    ...report.sides.map(({ hosts, lastMs }) =>
      missed(`that ${names(hosts)} keep to themselves`, lastMs, CUT_BOUND_MS),
    ),
    ...report.sides.map(({ hosts, answers }) => strangers(hosts, answers)),
    missed('agreement after the heal', agreesMs, HEAL_BOUND_MS),
    isUsed ? undefined : 'MISSED: after the heal not all hosts are used from both sides',
  ]
}

/** Cuts the cluster into these sides under load from the first host of each, and heals it. */
export async function cutAndHeal(
  { cluster, url }: Pick<Stage, 'cluster' | 'url'>,
  sides: readonly (readonly ClusterHost[])[],
): Promise<CutReport> {
  const streams = sides.flatMap(([first]) =>
    first === undefined ? [] : [ConnectionStream.start(first.places, { url, perSecond: 100 })],
  )
  const all = sides.flat().map(({ name }) => name)
  const isUsedSince = (sinceMs: number) => (stream: ConnectionStream) => {
    const answers = countByHost(stream.since(sinceMs))
    return all.every((name) => answers.has(name))
  }
  try {
    for (const stream of streams) await stream.until(isUsedSince(0), 20_000)
    const cutMs = monotonicMs()
    await cluster.cut(sides.map((side) => side.map(({ name }) => name)))
    await Promise.all(streams.map((stream) => stream.untilCalm(CALM_MS, 20_000)))
    const calmMs = monotonicMs() - CALM_MS
    const reports = sides.map((hosts, side) => sideReport(hosts, streams[side], { cutMs, calmMs }))
    const healedMs = monotonicMs()
    await cluster.heal()
    const wanted = backendAddresses(cluster.running)
    const agreesMs = await untilServed(cluster.running, wanted, 60_000)
    const used = streams.map((stream) => stream.until(isUsedSince(healedMs), 5_000))
    return { sides: reports, agreesMs, isUsed: (await Promise.all(used)).every(Boolean) }
  } finally {
    await Promise.all(streams.map((stream) => stream.stop()))
  }
}

function sideReport(
  hosts: readonly ClusterHost[],
  stream: ConnectionStream | undefined,
  { cutMs, calmMs }: { readonly cutMs: number; readonly calmMs: number },
): SideReport {
  const own = new Set(hosts.map(({ name }) => name))
  const attempts = stream?.since(cutMs) ?? []
  const across = attempts.filter(
    (attempt) => !isAnswered(attempt) || !own.has(answeringHost(attempt) ?? ''),
  )
  return {
    hosts,
    lastMs: Math.max(0, ...across.map(({ startedMs }) => startedMs - cutMs)),
    failed: across.length,
    answers: countByHost(attempts.filter(({ startedMs }) => startedMs >= calmMs)),
  }
}

/** Every host of a side answers, and nobody else. */
function strangers(hosts: readonly ClusterHost[], answers: ReadonlyMap<string, number>): Miss {
  const isOwn = hosts.length === answers.size && hosts.every(({ name }) => answers.has(name))
  return isOwn
    ? undefined
    : `MISSED: on the side of ${names(hosts)} answered ${countsText(answers)}`
}

function names(hosts: readonly ClusterHost[]): string {
  return hosts.map(({ name }) => name).join(' ')
}
