/**
 * What the node's Mesos agent runs, as a table of tasks. The agent is asked, not the master: it
 * is authoritative for what runs here, and ten thousand nodes lean on ten thousand agents.
 */
import type { Registry } from 'prom-client'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { Scope } from '../base/scope.ts'
import { Table } from '../base/table.ts'
import type { Ip } from '../model/ip.ts'
import type { Task, TaskKey } from '../model/task.ts'
import { type LookupHost, systemLookup } from './agent-address.ts'
import { AgentClient } from './agent-client.ts'
import type { Masters, MesosOptions } from './config.ts'
import type { GoneNotice } from './gone-agent.ts'
import { type FollowedMasters, startMasters } from './master/follow-masters.ts'
import { openLeaderSource } from './master/leader.ts'
import { leaderMetrics, mesosMetrics, sourceMetrics } from './metrics.ts'
import { Poller, type PollStatus } from './poller.ts'

export type { GoneNotice } from './gone-agent.ts'
export type { FollowedMasters, MastersStatus } from './master/follow-masters.ts'

/** What {@link startMesos} works with. */
export interface MesosParts {
  readonly options: MesosOptions
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly registry: Registry
  /** Ends the polling. */
  readonly scope: Scope
  /** Resolves host names of agents; default: the system's resolver. */
  readonly lookupHost?: LookupHost
}

/** How the reading of the agent goes. */
export type MesosStatus = PollStatus

/** The running capability. */
export interface Mesos {
  /** Launched tasks of the agent; complete after the first successful poll. */
  readonly tasks: Table<TaskKey, Task>
  /** Undefined until it is configured or the agent said it. */
  readonly agentIp: () => Ip | undefined
  /** The agent has news, somebody says: it is read at once; bursts count once. */
  readonly pollSoon: () => void
  /**
   * The agent is gone for good, somebody says. When it does not answer, its tasks are withdrawn, and
   * come back with the next answer; of another agent than the present one nothing is believed.
   */
  readonly agentGone: (gone: GoneNotice) => void
  readonly status: () => MesosStatus
}

/** Starts to poll the agent, if there is one; ends with the scope. */
export function startMesos(parts: MesosParts): Mesos {
  const { options, clock, random, scope } = parts
  const { agentUrl } = options
  if (agentUrl === undefined) return withoutAgent(options.agentIp)
  const agent = scope.own(new AgentClient({ ...options, agentUrl }, clock))
  const poller = new Poller({
    options,
    agent,
    clock,
    random,
    log: parts.log.child('mesos'),
    metrics: mesosMetrics(parts.registry),
    lookupHost: parts.lookupHost ?? systemLookup,
  })
  scope.run((signal) => poller.run(signal))
  return {
    tasks: poller.tasks,
    agentIp: () => poller.agentIp,
    pollSoon: () => poller.pollSoon(),
    agentGone: (gone) => poller.agentGone(gone),
    status: () => poller.status,
  }
}

/** A node without an agent: it has no tasks, which is all there is to know. */
function withoutAgent(agentIp: Ip | undefined): Mesos {
  const tasks = new Table<TaskKey, Task>()
  tasks.replace(new Map())
  return {
    tasks,
    agentIp: () => agentIp,
    pollSoon: () => undefined,
    agentGone: () => undefined,
    status: () => ({
      lastSuccessMs: undefined,
      staleSinceWallMs: undefined,
      consecutiveFailures: 0,
      lastError: undefined,
      skipped: [],
    }),
  }
}

/**
 * Starts to follow the leading master; ends with the scope. Nothing waits for it: what it says only
 * makes nodes look earlier. Masters that ZooKeeper or a master_list names speak TLS when the agent
 * does; where there is none, when certificates are given.
 */
export function followMasters(masters: Masters, parts: MesosParts): FollowedMasters {
  const { options, clock, random, log, scope } = parts
  const { credential, caPem } = options
  const leader = openLeaderSource({
    ...{ masters, clock, random, log },
    ...(credential && { credential }),
    ...(caPem !== undefined && { caPem }),
    isTls: options.agentUrl?.startsWith('https:') ?? caPem !== undefined,
    events: leaderMetrics(parts.registry),
  })
  return startMasters({ ...parts, leader: scope.own(leader) })
}

/** What {@link watchSources} works with. */
export interface WatchedSources {
  readonly options: Pick<MesosOptions, 'agentUrl'>
  readonly mesos: Pick<Mesos, 'status'>
  readonly masters: Pick<FollowedMasters, 'status'> | undefined
  readonly clock: Clock
  readonly registry: Registry
}

/** Shows in the metrics how stale each source is; one that a node does without is not shown. */
export function watchSources({ options, mesos, masters, clock, registry }: WatchedSources): void {
  const secondsSince = (wallMs: number | undefined): number =>
    wallMs === undefined ? 0 : Math.max(0, clock.wallMs() - wallMs) / 1000
  const startWallMs = clock.wallMs()
  const { onStaleness, onSilence } = sourceMetrics(registry)
  if (options.agentUrl !== undefined) {
    onStaleness('agent', () => secondsSince(mesos.status().staleSinceWallMs))
  }
  if (masters === undefined) return
  onStaleness('leader', () => {
    const { state, leader, sinceWallMs, leaderSinceWallMs } = masters.status().leader
    if (state !== 'current') return secondsSince(sinceWallMs)
    return secondsSince(leader === undefined ? leaderSinceWallMs : undefined)
  })
  onStaleness('stream', () => secondsSince(masters.status().stream.staleSinceWallMs))
  onSilence(() => secondsSince(masters.status().stream.lastEventWallMs ?? startWallMs))
}
