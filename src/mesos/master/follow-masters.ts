/**
 * What the masters know beyond this node: which agents have news, and which are gone for good.
 * Only a shortcut: without it each node still reads its own agent, a little later.
 */
import type { Registry } from 'prom-client'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { Scope } from '../../base/scope.ts'
import { type LookupHost, systemLookup } from '../agent-address.ts'
import type { MesosOptions } from '../config.ts'
import { masterMetrics } from '../metrics.ts'
import { Announcer, type GoneListener, type HintListener } from './announcer.ts'
import { MasterFacts } from './facts.ts'
import { HostNames } from './host-names.ts'
import type { LeaderSource } from './leader.ts'
import type { LeaderStatus } from './leader-view.ts'
import { MasterConnection } from './master-connection.ts'
import { MasterStream, type StreamStatus } from './stream.ts'
import { STREAM_TIMING, type StreamTiming } from './stream-timing.ts'

/** What {@link startMasters} works with. */
export interface MastersParts {
  readonly options: Pick<MesosOptions, 'credential' | 'caPem' | 'maxStateBytes'>
  /** Closed by who opened it. */
  readonly leader: LeaderSource
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly registry: Registry
  /** Ends the stream. */
  readonly scope: Scope
  readonly timing?: StreamTiming
  /** For agents of which the master tells a host name only; default: the system's resolver. */
  readonly lookupHost?: LookupHost
}

/** How the masters are followed. */
export interface MastersStatus {
  readonly leader: LeaderStatus
  readonly stream: StreamStatus
  /** Agents that are known. */
  readonly agents: number
  /** Tasks that are known and have not ended. */
  readonly tasks: number
}

/** The masters, followed. */
export interface FollowedMasters {
  /** Listens to hints from now on: several at once come as one. @returns a function that ends it */
  onHint(listener: HintListener): () => void
  /** @returns a function that ends it */
  onGone(listener: GoneListener): () => void
  status(): MastersStatus
  /** For `explain`. */
  readonly facts: Pick<MasterFacts, 'tasks' | 'agents'>
}

/** Starts to follow the leading master's stream; ends with the scope. */
export function startMasters(parts: MastersParts): FollowedMasters {
  const { options, leader, clock, scope, timing = STREAM_TIMING } = parts
  const facts = new MasterFacts()
  const log = parts.log.child('mesos-master')
  const names = new HostNames({ lookupHost: parts.lookupHost ?? systemLookup, clock, log })
  const announcer = new Announcer(facts, names)
  scope.own(names)
  const { credential, caPem, maxStateBytes } = options
  const connection = new MasterConnection({
    ...(credential === undefined ? {} : { credential }),
    ...(caPem === undefined ? {} : { caPem }),
    clock,
    maxStateBytes,
    timeoutMs: timing.headTimeoutMs,
    stateTimeoutMs: timing.stateTimeoutMs,
  })
  scope.own(connection)
  const stream = new MasterStream({
    ...{ leader, connection, facts, clock, random: parts.random, timing },
    log,
    metrics: masterMetrics(parts.registry),
    maxRecordBytes: maxStateBytes,
    onChange: (change) => announcer.announce(change),
  })
  scope.run((signal) => stream.run(signal))
  return {
    onHint: (listener) => announcer.onHint(listener),
    onGone: (listener) => announcer.onGone(listener),
    status: () => ({
      leader: leader.status(),
      stream: stream.status,
      agents: facts.agents.size,
      tasks: facts.tasks.size,
    }),
    facts,
  }
}
