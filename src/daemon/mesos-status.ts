/** How current what is known of Mesos is, source by source. */
import { wallText } from '../base/clock.ts'
import type { FollowedMasters, MastersStatus, MesosStatus } from '../mesos/mesos.ts'
import { type ProblemView, problemView } from './problem.ts'

/** Something that the node reads. */
export interface SourceView {
  /** `agent`: this node's; `leader`: where the leading master is learned from; `stream`: its events. */
  readonly source: 'agent' | 'leader' | 'stream'
  /** What is read, without passwords, e.g. `10.0.0.1:5050`. */
  readonly from: string
  /** `stale`: what was read last is used on; `searching`: it was never read. */
  readonly state: 'current' | 'stale' | 'searching'
  /** Since when it is not current, e.g. `2026-01-31T12:00:00.000Z`. */
  readonly since?: string
  /** Why it is not. */
  readonly problem?: ProblemView
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
  readonly agentUrl: string
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

function agentView(url: string, status: MesosStatus): SourceView {
  const { staleSinceWallMs, lastSuccessMs, lastError } = status
  const from = new URL(url).host
  if (staleSinceWallMs === undefined) return { source: 'agent', from, state: 'current' }
  return {
    source: 'agent',
    from,
    state: lastSuccessMs === undefined ? 'searching' : 'stale',
    since: wallText(staleSinceWallMs),
    ...(lastError && { problem: problemView(lastError) }),
  }
}

function leaderView({ source: from, state, ...status }: MastersStatus['leader']): SourceView {
  if (state === 'current') return { source: 'leader', from, state }
  const { sinceWallMs, problem } = status
  return {
    source: 'leader',
    from,
    state,
    since: wallText(sinceWallMs),
    ...(problem && { problem: problemView(problem) }),
  }
}

function streamView({ leader, ...status }: MastersStatus['stream']): SourceView {
  const from = leader === undefined ? 'no leader' : `${leader.address}:${leader.port}`
  const { staleSinceWallMs, contentType, lastError } = status
  if (staleSinceWallMs === undefined) return { source: 'stream', from, state: 'current' }
  return {
    source: 'stream',
    from,
    state: contentType === undefined ? 'searching' : 'stale',
    since: wallText(staleSinceWallMs),
    ...(lastError && { problem: problemView(lastError) }),
  }
}
