/** How current what is known of Mesos is, source by source. */
import { wallText } from '../base/clock.ts'
import { messageOf, type NavstarError } from '../base/error.ts'
import { MESOS_DEFAULTS } from '../mesos/config.ts'
import type { FollowedMasters, MastersStatus, MesosStatus } from '../mesos/mesos.ts'
import { type ProblemView, problemView } from './problem.ts'

/** Something that the node reads. */
export interface SourceView {
  /** `agent`: this node's; `leader`: where the leading master is learned from; `stream`: its events. */
  readonly source: 'agent' | 'leader' | 'stream'
  /** What is read, without passwords, e.g. `10.0.0.1:5050`. */
  readonly from: string
  /**
   * `stale`: what was read last is used on; `searching`: it was never read; `missing`: it is
   * known that no master leads; `absent`: the node does without.
   */
  readonly state: 'current' | 'stale' | 'searching' | 'missing' | 'absent'
  /** Since when it is not current, e.g. `2026-01-31T12:00:00.000Z`. */
  readonly since?: string
  /** Why it is not. */
  readonly problem?: ProblemView
  /** The innermost cause of the problem, e.g. `connect ECONNREFUSED 127.0.0.1:5051`. */
  readonly reason?: string
  /** Of the leader: the last one known, e.g. `10.0.0.9:5050`. */
  readonly leader?: string
  /** Of the stream: subscribed, its state is on the way. */
  readonly isReceiving?: true
  /** Of the agent: nothing listens where agents do by default, and there never was one. */
  readonly mayBeAbsent?: true
  /** Of an agent that does not answer and is gone for good: who says so. Its tasks were withdrawn. */
  readonly gone?: { readonly agent: string; readonly by: string }
  /** Of a current stream: its audits fail. */
  readonly audit?: {
    readonly since: string
    readonly problem: ProblemView
    readonly reason: string
  }
}

/** Mesos as `/v1/navstar/status` shows it. */
export interface MesosStatusView {
  readonly sources: readonly SourceView[]
  /** What the leading master knows; absent without `--masters`. */
  readonly master?: { readonly agents: number; readonly tasks: number }
  /** Parts of tasks that were left out. */
  readonly skipped: readonly { readonly owner: string; readonly detail: string }[]
}

/** What the view is made from. */
export interface MesosStatusParts {
  /** Undefined: no agent runs here. */
  readonly agentUrl: string | undefined
  readonly status: MesosStatus
  readonly masters: Pick<FollowedMasters, 'status'> | undefined
}

/** How the reading of Mesos stands. */
export function mesosStatusView({ agentUrl, status, masters }: MesosStatusParts): MesosStatusView {
  const skipped = status.skipped.map(({ owner, detail }) => ({ owner, detail }))
  const agent = agentView(agentUrl, status)
  if (masters === undefined) return { sources: [agent], skipped }
  const { leader, stream, agents, tasks } = masters.status()
  const sources = [agent, leaderView(leader), streamView(stream)]
  return { sources, master: { agents, tasks }, skipped }
}

/** How the reading of this node's agent stands. @param url undefined: no agent runs here */
export function agentView(url: string | undefined, status: MesosStatus): SourceView {
  const { staleSinceWallMs, lastSuccessMs, lastError, goneAgent: gone } = status
  if (url === undefined) return { source: 'agent', from: 'none', state: 'absent' }
  const from = new URL(url).host
  if (staleSinceWallMs === undefined) return { source: 'agent', from, state: 'current' }
  const isNew = lastSuccessMs === undefined
  const mayBeAbsent = isNew && url === MESOS_DEFAULTS.agentUrl && isRefused(lastError)
  return {
    source: 'agent',
    from,
    state: isNew ? 'searching' : 'stale',
    since: wallText(staleSinceWallMs),
    ...(lastError && problemOf(lastError)),
    ...(mayBeAbsent && { mayBeAbsent }),
    ...(gone && { gone }),
  }
}

function leaderView({ source: from, state, ...status }: MastersStatus['leader']): SourceView {
  const { sinceWallMs, leaderSinceWallMs, problem, leader: known } = status
  const leader = known && { leader: placeOf(known) }
  if (state === 'current' && leader !== undefined) {
    return { source: 'leader', from, state, ...leader }
  }
  if (state === 'current') {
    return { source: 'leader', from, state: 'missing', since: wallText(leaderSinceWallMs) }
  }
  const since = wallText(sinceWallMs)
  return { source: 'leader', from, state, since, ...leader, ...(problem && problemOf(problem)) }
}

function streamView({ leader, ...status }: MastersStatus['stream']): SourceView {
  const from = leader === undefined ? 'no leader' : placeOf(leader)
  const { state, staleSinceWallMs, wasCurrent, lastError, auditProblem } = status
  if (staleSinceWallMs === undefined) {
    const audit = auditProblem && {
      since: wallText(auditProblem.sinceWallMs),
      problem: problemView(auditProblem.error),
      reason: reasonOf(auditProblem.error),
    }
    return { source: 'stream', from, state: 'current', ...(audit && { audit }) }
  }
  const isReceiving = state === 'receiving'
  return {
    source: 'stream',
    from,
    state: wasCurrent ? 'stale' : 'searching',
    since: wallText(staleSinceWallMs),
    ...(lastError && problemOf(lastError)),
    ...(isReceiving && { isReceiving }),
  }
}

function placeOf({ address, port }: NonNullable<MastersStatus['stream']['leader']>): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

function problemOf(error: NavstarError): { problem: ProblemView; reason: string } {
  return { problem: problemView(error), reason: reasonOf(error) }
}

/** What lies at the bottom of an error: the text of the system or of the other side. */
function reasonOf(error: NavstarError): string {
  let inner: unknown = error
  while (inner instanceof Error && inner.cause !== undefined) inner = inner.cause
  const { code } = inner as { readonly code?: unknown }
  const text = messageOf(inner)
  // An attempt at several addresses at once fails without a text.
  return text === 'AggregateError' && typeof code === 'string' ? code : text
}

function isRefused(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code } = error as NodeJS.ErrnoException
  return code === 'ECONNREFUSED' || isRefused(error.cause)
}
