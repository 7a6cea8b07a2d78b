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
import type { Ip } from '../../model/ip.ts'
import { type TaskKey, taskKeyOf } from '../../model/task.ts'
import type { Snapshot, SnapshotAgent, SnapshotTask } from '../snapshot/snapshot.ts'
import {
  awaitedAgent,
  isSameAgent,
  KnownAgents,
  type MasterAgent,
  registeredAgent,
} from './known-agents.ts'
import { isSameTask, isTerminal, KnownTasks, type MasterTask } from './known-tasks.ts'
import type { MasterEvent } from './master-event.ts'

/** An agent that never comes back under its id. */
export interface GoneAgent {
  readonly agentId: string
  readonly address: Ip | undefined
  /** Another agent has the address already: only the id is gone, not the host. */
  readonly isAddressInUse: boolean
}

/** What an event or a snapshot changed. */
export interface FactsChange {
  /** Agents, by address, of which a task or they themselves changed. */
  readonly hints: ReadonlySet<Ip>
  readonly gone: readonly GoneAgent[]
}

/** The least that a master waits for agents after a fail-over, and a margin. */
export const REREGISTER_TIMEOUT_MS: number = 11 * 60_000

interface Change {
  readonly hints: Set<Ip>
  readonly gone: GoneAgent[]
}

/** The facts; one writer applies events and snapshots in the order in which they came. */
export class MasterFacts {
  readonly #tasks = new KnownTasks()
  readonly #agents = new KnownAgents()
  readonly #reregisterTimeoutMs: number
  /** Tasks from before a fail-over whose agents are awaited. */
  readonly #carried = new Set<TaskKey>()
  /** What events told while an audit was under way: newer than its snapshot may be. */
  #touched: { readonly tasks: Set<TaskKey>; readonly agents: Set<string> } | undefined
  #hasSnapshot = false
  #nextExpiryMs = Number.POSITIVE_INFINITY

  /** @param reregisterTimeoutMs so long an awaited agent is kept after it was last listed */
  constructor(reregisterTimeoutMs: number = REREGISTER_TIMEOUT_MS) {
    this.#reregisterTimeoutMs = reregisterTimeoutMs
  }

  /** The tasks that have not ended; those on unreachable agents too. */
  get tasks(): ReadonlyMap<TaskKey, MasterTask> {
    return this.#tasks.all
  }

  get agents(): ReadonlyMap<string, MasterAgent> {
    return this.#agents.all
  }

  /** Applies an event of the stream. */
  apply(event: MasterEvent, nowMs: number): FactsChange {
    const change = newChange()
    // First: what is due must not take along what this event brings.
    this.#expire(nowMs, change)
    switch (event.kind) {
      case 'task':
        this.#told(event, change)
        break
      case 'agent':
        this.#touched?.agents.add(event.agent.id)
        this.#register(registeredAgent(event.agent), change)
        break
      case 'agentRemoved':
        this.#gone(event.agentId, change)
        break
      case 'frameworkRemoved':
        this.#removeFramework(event.frameworkId, change)
        break
      case 'nothing':
        break
    }
    return change
  }

  /** An audit is asked for now: what events say until {@link audited} outweighs its answer. */
  beginAudit(): void {
    this.#touched = { tasks: new Set(), agents: new Set() }
  }

  /** The audit has no answer. */
  dropAudit(): void {
    this.#touched = undefined
  }

  /** Applies the answer of an audit, beside a stream that goes on. */
  audited(snapshot: Snapshot, nowMs: number): FactsChange {
    const { tasks, agents } = this.#touched ?? { tasks: new Set<never>(), agents: new Set<never>() }
    this.#touched = undefined
    return this.#replace(snapshot, { nowMs, tasks, agents })
  }

  /** Applies the snapshot that begins a stream. The first of all gives no hints. */
  subscribed(snapshot: Snapshot, nowMs: number): FactsChange {
    this.#touched = undefined
    const change = this.#replace(snapshot, { nowMs, tasks: new Set(), agents: new Set() })
    const isFirst = !this.#hasSnapshot
    this.#hasSnapshot = true
    return isFirst ? { ...change, hints: new Set() } : change
  }

  #told(event: Extract<MasterEvent, { kind: 'task' }>, change: Change): void {
    const key = taskKeyOf(event.frameworkId, event.taskId)
    const known = this.#tasks.get(key)
    const agentId = event.agentId ?? known?.agentId
    this.#touched?.tasks.add(key)
    if (agentId === undefined) return
    const state = event.state ?? known?.state
    this.#put(key, { frameworkId: event.frameworkId, taskId: event.taskId, agentId, state })
    this.#hint(agentId, change)
    // The operator has said so; the agent is shut down if it ever comes back.
    if (state === 'TASK_GONE_BY_OPERATOR') this.#gone(agentId, change)
  }

  #put(key: TaskKey, task: MasterTask): void {
    this.#carried.delete(key)
    if (isTerminal(task.state)) this.#tasks.delete(key)
    else this.#tasks.set(key, task)
  }

  /** An agent is there (again), perhaps elsewhere; who served there before is gone. */
  #register(agent: MasterAgent, change: Change): void {
    // Had they survived, they would be told before or after this.
    for (const key of this.#tasks.keysOf(agent.id)) {
      const isLost = this.#tasks.get(key)?.state === 'TASK_UNREACHABLE'
      if (isLost || this.#carried.has(key)) this.#removeTask(key)
    }
    const rival = this.#agents.rivalOf(agent)
    this.#agents.set(agent)
    if (rival !== undefined) this.#gone(rival.id, change)
    this.#hint(agent.id, change)
  }

  #gone(agentId: string, change: Change): void {
    this.#touched?.agents.add(agentId)
    const agent = this.#agents.get(agentId)
    this.#drop(agentId)
    if (agent === undefined) return
    const { address } = agent
    const isAddressInUse = address !== undefined && this.#agents.hasAddress(address)
    change.gone.push({ agentId, address, isAddressInUse })
  }

  /** Forgets an agent and its tasks. */
  #drop(agentId: string): void {
    this.#agents.delete(agentId)
    for (const key of this.#tasks.keysOf(agentId)) this.#removeTask(key)
  }

  #removeTask(key: TaskKey): void {
    this.#touched?.tasks.add(key)
    this.#carried.delete(key)
    this.#tasks.delete(key)
  }

  /** Its live tasks were told to be killed; those on unreachable agents end without a word. */
  #removeFramework(frameworkId: string, change: Change): void {
    for (const [key, task] of this.#tasks.all) {
      if (task.frameworkId !== frameworkId) continue
      this.#hint(task.agentId, change)
      this.#removeTask(key)
    }
  }

  #hint(agentId: string, change: Change): void {
    const address = this.#agents.get(agentId)?.address
    if (address !== undefined) change.hints.add(address)
  }

  #replace(snapshot: Snapshot, than: Newer): Change {
    const change = newChange()
    this.#replaceAgents(snapshot, than, change)
    for (const { id } of this.#unlisted(snapshot, than)) {
      this.#hint(id, change)
      this.#agents.delete(id)
    }
    this.#replaceTasks(snapshot, than, change)
    this.#scheduleExpiry()
    this.#expire(than.nowMs, change)
    // Agents may have swapped their places.
    const gone = change.gone.filter(({ agentId }) => this.#agents.get(agentId) === undefined)
    return { hints: change.hints, gone }
  }

  #replaceAgents(snapshot: Snapshot, { nowMs, agents: newer }: Newer, change: Change): void {
    for (const entry of snapshot.agents) {
      if (newer.has(entry.id)) continue
      const agent = registeredAgent(entry)
      if (!isSameAgent(this.#agents.get(entry.id), agent)) this.#register(agent, change)
    }
    for (const entry of snapshot.recoveredAgents) {
      if (newer.has(entry.id)) continue
      const known = this.#agents.get(entry.id)
      const agent = awaitedAgent(entry, known, nowMs + this.#reregisterTimeoutMs)
      if (this.#agents.rivalOf(agent) === undefined) this.#agents.set(agent)
    }
  }

  #replaceTasks(snapshot: Snapshot, { tasks, agents }: Newer, change: Change): void {
    const listed = new Set<TaskKey>()
    const take = (entry: SnapshotTask): void => {
      const key = taskKeyOf(entry.frameworkId, entry.taskId)
      const isGone = agents.has(entry.agentId) && this.#agents.get(entry.agentId) === undefined
      if (tasks.has(key) || isGone || isTerminal(entry.state)) return
      listed.add(key)
      if (isSameTask(this.#tasks.get(key), entry)) return
      this.#put(key, entry)
      this.#hint(entry.agentId, change)
    }
    snapshot.unreachableTasks.forEach(take)
    snapshot.tasks.forEach(take)
    for (const [key, { agentId }] of this.#tasks.all) {
      if (listed.has(key) || tasks.has(key)) continue
      if (this.#agents.get(agentId)?.awaitedUntilMs !== undefined) this.#carried.add(key)
      else {
        this.#hint(agentId, change)
        this.#removeTask(key)
      }
    }
  }

  /** Agents that the snapshot lacks: unreachable, or removed while nobody listened. */
  #unlisted(snapshot: Snapshot, { agents: newer }: Newer): readonly MasterAgent[] {
    const idOf = ({ id }: SnapshotAgent): string => id
    const listed = new Set([...snapshot.agents.map(idOf), ...snapshot.recoveredAgents.map(idOf)])
    return [...this.#agents.all.values()].filter(({ id }) => !listed.has(id) && !newer.has(id))
  }

  #scheduleExpiry(): void {
    this.#nextExpiryMs = Number.POSITIVE_INFINITY
    for (const { awaitedUntilMs = Number.POSITIVE_INFINITY } of this.#agents.all.values()) {
      this.#nextExpiryMs = Math.min(this.#nextExpiryMs, awaitedUntilMs)
    }
  }

  /** Gives up awaited agents that no snapshot has listed for too long: the master did so too. */
  #expire(nowMs: number, change: Change): void {
    if (nowMs < this.#nextExpiryMs) return
    for (const { id, awaitedUntilMs } of [...this.#agents.all.values()]) {
      if (awaitedUntilMs === undefined || nowMs < awaitedUntilMs) continue
      this.#hint(id, change)
      this.#agents.delete(id)
      // It may be about to return: tasks that were told since are not from before.
      for (const key of this.#tasks.keysOf(id)) if (this.#carried.has(key)) this.#removeTask(key)
    }
    this.#scheduleExpiry()
  }
}

/** What is newer than a snapshot, by keys and ids. */
interface Newer {
  readonly nowMs: number
  readonly tasks: ReadonlySet<TaskKey>
  readonly agents: ReadonlySet<string>
}

function newChange(): Change {
  return { hints: new Set(), gone: [] }
}
