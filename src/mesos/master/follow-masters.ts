/**
 * What the masters know beyond this node: which agents have news, and which are gone for good.
 * Only a shortcut: without it each node still reads its own agent, a little later.
 */
import type { Registry } from 'prom-client'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { Scope } from '../../base/scope.ts'
import type { Ip } from '../../model/ip.ts'
import type { MesosOptions } from '../config.ts'
import { masterMetrics } from '../metrics.ts'
import { MasterFacts } from './facts.ts'
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
}

/** Something of a task on the agent at this address changed, or of the agent itself. */
export type HintListener = (agentAddress: Ip) => void

/** The agent never comes back under its id; `isAddressInUse`: but another one is there already. */
export type GoneListener = (agentId: string, address: Ip, isAddressInUse: boolean) => void

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
  const hintListeners = new Set<HintListener>()
  const goneListeners = new Set<GoneListener>()
  const facts = new MasterFacts()
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
    log: parts.log.child('mesos-master'),
    metrics: masterMetrics(parts.registry),
    maxRecordBytes: maxStateBytes,
    onChange: ({ hints, gone }) => {
      for (const address of hints) for (const listener of hintListeners) listener(address)
      for (const { agentId, address, isAddressInUse } of gone) {
        if (address === undefined) continue
        for (const listener of goneListeners) listener(agentId, address, isAddressInUse)
      }
    },
  })
  scope.run((signal) => stream.run(signal))
  return {
    onHint: (listener) => listen(hintListeners, listener),
    onGone: (listener) => listen(goneListeners, listener),
    status: () => ({
      leader: leader.status(),
      stream: stream.status,
      agents: facts.agents.size,
      tasks: facts.tasks.size,
    }),
    facts,
  }
}

function listen<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}
