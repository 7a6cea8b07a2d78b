/**
 * What a master's stream says, put together: which tasks are on which agents, and where those are.
 * It is only as good as the stream, so nothing here decides what is served; it tells which agents
 * are worth being read now, and which are gone for good.
 *
 * What the stream does not say: an agent that becomes unreachable or does not come back after a
 * fail-over has no event of its own; only the next snapshot lacks it. Such an agent may return and
 * is not gone. Tasks come before their agents, again, and ended.
 *
 * **Source:** Apache Mesos `src/master/master.cpp` (Subscribers::send and its callers)
 */
import { type TaskKey, taskKeyOf } from '../../model/task.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { inOneTurn, type Steps } from '../snapshot/steps.ts'
import { type MasterAgent, registeredAgent } from './known-agents.ts'
import type { MasterTask } from './known-tasks.ts'
import {
  type Change,
  type FactsChange,
  Ledger,
  newChange,
  nothingTouched,
  type Touched,
} from './ledger.ts'
import type { MasterEvent } from './master-event.ts'
import { replace } from './replacement.ts'

/** The least that a master waits for agents after a fail-over, and a margin. */
export const REREGISTER_TIMEOUT_MS: number = 11 * 60_000

/** An audit that was asked for; a proof that events since then are remembered. */
export interface BegunAudit {
  readonly told: Touched
}

/** The facts; one writer applies events and snapshots in the order in which they came. */
export class MasterFacts {
  readonly #ledger = new Ledger()
  readonly #reregisterTimeoutMs: number
  #hasSnapshot = false

  /** @param reregisterTimeoutMs so long an awaited agent is kept after it was last listed */
  constructor(reregisterTimeoutMs: number = REREGISTER_TIMEOUT_MS) {
    this.#reregisterTimeoutMs = reregisterTimeoutMs
  }

  /** The tasks that have not ended; those on unreachable agents too. */
  get tasks(): ReadonlyMap<TaskKey, MasterTask> {
    return this.#ledger.tasks.all
  }

  get agents(): ReadonlyMap<string, MasterAgent> {
    return this.#ledger.agents.all
  }

  /** How many entries each collection has, for those who look for leaks. */
  get sizes(): Readonly<Record<string, number>> {
    return this.#ledger.sizes
  }

  /** Applies an event of the stream. */
  apply(event: MasterEvent, nowMs: number): FactsChange {
    const change = newChange()
    // First: what is due must not take along what this event brings.
    this.#ledger.expire(nowMs, change)
    switch (event.kind) {
      case 'task':
        this.#told(event, change)
        break
      case 'agent':
        this.#ledger.touched?.agents.add(event.agent.id)
        this.#ledger.register(registeredAgent(event.agent), change)
        break
      case 'agentRemoved':
        this.#ledger.gone(event.agentId, change)
        break
      case 'frameworkRemoved':
        this.#ledger.removeFramework(event.frameworkId, change)
        break
      case 'nothing':
        break
    }
    return change
  }

  /**
   * An audit is asked for now: what events say until {@link auditing} ends outweighs its answer.
   * To be called before the question is sent: an answer may be as old as the question.
   */
  beginAudit(): BegunAudit {
    const told = nothingTouched()
    this.#ledger.touched = told
    return { told }
  }

  /** The audit has no answer. */
  dropAudit(): void {
    this.#ledger.touched = undefined
  }

  /**
   * Applies the answer of an audit, step by step; events may be applied between the steps. The
   * answer of an audit that was dropped, or begun on an earlier stream, changes nothing: of what
   * was told since it was asked for there is no record.
   */
  *auditing({ told }: BegunAudit, snapshot: Snapshot, nowMs: number): Steps<FactsChange> {
    if (told !== this.#ledger.touched) return newChange()
    const change = yield* this.#replace(snapshot, nowMs, told)
    this.#ledger.touched = undefined
    return change
  }

  /**
   * Applies the snapshot that begins a stream, step by step; no event comes before its end. The
   * first of all gives no hints.
   */
  *subscribing(snapshot: Snapshot, nowMs: number): Steps<FactsChange> {
    const change = yield* this.#replace(snapshot, nowMs, nothingTouched())
    this.#ledger.touched = undefined
    const isFirst = !this.#hasSnapshot
    this.#hasSnapshot = true
    return isFirst ? { ...change, hints: new Set(), named: new Set() } : change
  }

  /** {@link auditing} at once. */
  audited(audit: BegunAudit, snapshot: Snapshot, nowMs: number): FactsChange {
    return inOneTurn(this.auditing(audit, snapshot, nowMs))
  }

  /** {@link subscribing} at once. */
  subscribed(snapshot: Snapshot, nowMs: number): FactsChange {
    return inOneTurn(this.subscribing(snapshot, nowMs))
  }

  #told(event: Extract<MasterEvent, { kind: 'task' }>, change: Change): void {
    const key = taskKeyOf(event.frameworkId, event.taskId)
    const known = this.#ledger.tasks.get(key)
    const agentId = event.agentId ?? known?.agentId
    this.#ledger.touched?.tasks.add(key)
    if (agentId === undefined) return
    const state = event.state ?? known?.state
    this.#ledger.put(key, { frameworkId: event.frameworkId, taskId: event.taskId, agentId, state })
    this.#ledger.hint(agentId, change)
    // The operator has said so; the agent is shut down if it ever comes back.
    const isGone = state === 'TASK_GONE_BY_OPERATOR' || event.isAgentGone === true
    if (isGone) this.#ledger.gone(agentId, change)
  }

  *#replace(snapshot: Snapshot, nowMs: number, newer: Touched): Steps<FactsChange> {
    const awaitedUntilMs = nowMs + this.#reregisterTimeoutMs
    return yield* replace({ ledger: this.#ledger, snapshot, newer, awaitedUntilMs })
  }
}
