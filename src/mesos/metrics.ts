import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { ErrorCode } from '../base/error-codes.ts'
import type { Task } from '../model/task.ts'
import type { AuditResult } from './master/audits.ts'
import type { MasterFacts } from './master/facts.ts'
import type { LeaderEvents } from './master/leader-view.ts'
import type { FactsChange } from './master/ledger.ts'
import type { EventKind } from './master/master-event.ts'
import type { Skipped } from './state/skipped.ts'

/** How a poll ended. */
export type PollResult = 'changed' | 'unchanged' | 'failed'

/** What the polling of the agent reports. */
export interface MesosMetrics {
  readonly onPoll: (result: PollResult, durationMs: number) => void
  readonly onError: (code: ErrorCode) => void
  readonly onTasks: (tasks: Iterable<Task>) => void
  /** @param current everything left out of the newest state @param fresh what is new of it */
  readonly onSkipped: (current: readonly Skipped[], fresh: readonly Skipped[]) => void
}

/** Defines the metrics of Mesos on the registry. */
export function mesosMetrics(registry: Registry): MesosMetrics {
  const registers = [registry]
  const polls = new Counter({
    name: 'navstar_mesos_polls_total',
    help: 'Polls of the Mesos agent by result: changed, unchanged, failed',
    labelNames: ['result'],
    registers,
  })
  const durations = new Histogram({
    name: 'navstar_mesos_poll_duration_seconds',
    help: 'Duration of polls of the Mesos agent, failed ones included',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  })
  const errors = new Counter({
    name: 'navstar_mesos_errors_total',
    help: 'Failed polls of the Mesos agent by error code',
    labelNames: ['code'],
    registers,
  })
  const tasks = new Gauge({
    name: 'navstar_mesos_tasks',
    help: 'Tasks of the Mesos agent by phase: running, killing, other',
    labelNames: ['phase'],
    registers,
  })
  const skippedNow = new Gauge({
    name: 'navstar_mesos_skipped_parts',
    help: 'Tasks and parts of tasks in the newest state that were left out, by reason',
    labelNames: ['reason'],
    registers,
  })
  const skippedTotal = new Counter({
    name: 'navstar_mesos_skipped_parts_total',
    help: 'Tasks and parts of tasks that were left out, each counted once while it lasts',
    labelNames: ['reason'],
    registers,
  })
  return {
    onPoll: (result, durationMs) => {
      polls.inc({ result })
      durations.observe(durationMs / 1000)
    },
    onError: (code) => errors.inc({ code }),
    onTasks: (all) => {
      const counts = { running: 0, killing: 0, other: 0 }
      for (const task of all) counts[task.phase]++
      for (const [phase, count] of Object.entries(counts)) tasks.set({ phase }, count)
    },
    onSkipped: (current, fresh) => {
      skippedNow.reset()
      for (const { reason } of current) skippedNow.inc({ reason })
      for (const { reason } of fresh) skippedTotal.inc({ reason })
    },
  }
}

/** What the following of the masters' stream reports. */
export interface MasterMetrics {
  readonly onSubscribed: () => void
  /** @param reason an error's code, or `superseded`: another master leads */
  readonly onStreamEnd: (reason: ErrorCode | 'superseded') => void
  readonly onEvent: (kind: EventKind) => void
  readonly onMalformed: () => void
  readonly onAudit: (result: AuditResult) => void
  readonly onFacts: (change: FactsChange, facts: Pick<MasterFacts, 'tasks' | 'agents'>) => void
}

/** Defines the metrics of the masters' stream on the registry. */
export function masterMetrics(registry: Registry): MasterMetrics {
  const registers = [registry]
  const current = new Gauge({
    name: 'navstar_mesos_master_stream_current',
    help: '1 while the stream of the leading master is followed, else 0',
    registers,
  })
  const ends = new Counter({
    name: 'navstar_mesos_master_stream_ends_total',
    help: 'Streams of masters that ended or did not begin, by error code; superseded: another leads',
    labelNames: ['code'],
    registers,
  })
  const events = new Counter({
    name: 'navstar_mesos_master_events_total',
    help: 'Events of the stream by kind; other: of a type that is not known',
    labelNames: ['kind'],
    registers,
  })
  const malformed = new Counter({
    name: 'navstar_mesos_master_malformed_total',
    help: 'Records of the stream that could not be read and were left out',
    registers,
  })
  const audits = new Counter({
    name: 'navstar_mesos_master_audits_total',
    help: 'Audits of the stream by result: unchanged, corrected, failed',
    labelNames: ['result'],
    registers,
  })
  const hints = new Counter({
    name: 'navstar_mesos_master_hints_total',
    help: 'Hints that something changed on an agent, several at once counted as one',
    registers,
  })
  const gone = new Counter({
    name: 'navstar_mesos_master_agents_gone_total',
    help: 'Agents that are gone for good',
    registers,
  })
  const agents = new Gauge({
    name: 'navstar_mesos_master_agents',
    help: 'Agents that the leading master knows',
    registers,
  })
  const tasks = new Gauge({
    name: 'navstar_mesos_master_tasks',
    help: 'Tasks that the leading master knows and that have not ended',
    registers,
  })
  return {
    onSubscribed: () => current.set(1),
    onStreamEnd: (code) => {
      current.set(0)
      ends.inc({ code })
    },
    onEvent: (kind) => events.inc({ kind }),
    onMalformed: () => malformed.inc(),
    onAudit: (result) => audits.inc({ result }),
    onFacts: (change, facts) => {
      hints.inc(change.hints.size)
      gone.inc(change.gone.length)
      agents.set(facts.agents.size)
      tasks.set(facts.tasks.size)
    },
  }
}

/** Defines the metrics of who leads on the registry. */
export function leaderMetrics(registry: Registry): Required<LeaderEvents> {
  const registers = [registry]
  const changes = new Counter({
    name: 'navstar_mesos_leader_changes_total',
    help: 'Changes of who leads as this node learned them, to nobody and the first one included',
    registers,
  })
  const elections = new Counter({
    name: 'navstar_mesos_leader_elections_total',
    help: 'Elections seen: a master leads where another one or nobody did',
    registers,
  })
  const stale = new Gauge({
    name: 'navstar_mesos_leader_stale',
    help: '1 while it cannot be learned who leads, though it was known before, else 0',
    registers,
  })
  const problems = new Counter({
    name: 'navstar_mesos_leader_problems_total',
    help: 'Failed readings of who leads, by error code',
    labelNames: ['code'],
    registers,
  })
  const skipped = new Counter({
    name: 'navstar_mesos_leader_skipped_total',
    help: 'Entries of masters in ZooKeeper that could not be understood, each counted once while it lasts',
    labelNames: ['code'],
    registers,
  })
  const losses = new Counter({
    name: 'navstar_mesos_zookeeper_session_losses_total',
    help: 'Sessions with ZooKeeper that were lost',
    registers,
  })
  return {
    onChange: (leader) => {
      changes.inc()
      if (leader !== undefined) elections.inc()
    },
    onProblem: (code) => problems.inc({ code }),
    onSkipped: (code) => skipped.inc({ code }),
    onStale: (isStale) => stale.set(isStale ? 1 : 0),
    onSessionLost: () => losses.inc(),
  }
}

/** What a node reads of Mesos. */
export type SourceName = 'agent' | 'leader' | 'stream'

/** Takes what is asked whenever metrics are read. */
export interface SourceMetrics {
  readonly onStaleness: (source: SourceName, seconds: () => number) => void
  readonly onSilence: (seconds: () => number) => void
}

/** Defines the metrics of how current each source is on the registry. */
export function sourceMetrics(registry: Registry): SourceMetrics {
  const registers = [registry]
  const sources = new Map<SourceName, () => number>()
  let silence: (() => number) | undefined
  new Gauge({
    name: 'navstar_mesos_stale_seconds',
    help: 'How long a source has not been current, 0 while it is: agent, leader (known to lead), stream',
    labelNames: ['source'],
    registers,
    collect() {
      for (const [source, seconds] of sources) this.set({ source }, seconds())
    },
  })
  new Gauge({
    name: 'navstar_mesos_master_silence_seconds',
    help: 'Time since the last event of the leading master, heartbeats included, or since the start',
    registers,
    collect() {
      if (silence !== undefined) this.set(silence())
    },
  })
  return {
    onStaleness: (source, seconds) => void sources.set(source, seconds),
    onSilence: (seconds) => {
      silence = seconds
    },
  }
}
