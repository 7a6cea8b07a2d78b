import type { Ip } from '../../model/ip.ts'
import type { TaskKey } from '../../model/task.ts'
import { KnownAgents, type MasterAgent } from './known-agents.ts'
import { isTerminal, KnownTasks, type MasterTask } from './known-tasks.ts'

/** An agent that never comes back under its id. */
export interface GoneAgent {
  readonly agentId: string
  readonly hostname: string
  /** Undefined: only its host name is known. */
  readonly address: Ip | undefined
  /** Another agent has the address already: only the id is gone, not the host. */
  readonly isAddressInUse: boolean
}

/** What an event or a snapshot changed. */
export interface FactsChange {
  /** Agents, by address, of which a task or they themselves changed. */
  readonly hints: ReadonlySet<Ip>
  /** The same of agents without a known address, by host name. */
  readonly named: ReadonlySet<string>
  readonly gone: readonly GoneAgent[]
}

/** A change that is being put together. */
export interface Change {
  readonly hints: Set<Ip>
  readonly named: Set<string>
  readonly gone: GoneAgent[]
}

/** Nothing yet. */
export function newChange(): Change {
  return { hints: new Set(), named: new Set(), gone: [] }
}

/** What events told while an audit was under way: newer than its snapshot may be. */
export interface Touched {
  readonly tasks: Set<TaskKey>
  readonly agents: Set<string>
}

/** Nothing yet. */
export function nothingTouched(): Touched {
  return { tasks: new Set(), agents: new Set() }
}

/** What is known of tasks and agents, and the moves that keep both in step. */
export class Ledger {
  readonly tasks: KnownTasks = new KnownTasks()
  readonly agents: KnownAgents = new KnownAgents()
  /** Tasks from before a fail-over whose agents are awaited. */
  readonly carried: Set<TaskKey> = new Set()
  /**
   * Agents whose place another one took. Gone, it seems; but a stream that stalls may tell what a
   * snapshot has overtaken. The next snapshot that is asked for knows.
   */
  readonly #replaced = new Map<string, MasterAgent>()
  /** While an audit is under way. */
  touched: Touched | undefined
  #nextExpiryMs = Number.POSITIVE_INFINITY

  /** Notes a task; one that has ended is not kept. */
  put(key: TaskKey, task: MasterTask): void {
    this.carried.delete(key)
    if (isTerminal(task.state)) this.tasks.delete(key)
    else this.tasks.set(key, task)
  }

  /** An agent is there (again), perhaps elsewhere; who served there before is not. */
  register(agent: MasterAgent, change: Change): void {
    // Had they survived, they would be told before or after this.
    for (const key of this.tasks.keysOf(agent.id)) {
      const isLost = this.tasks.get(key)?.state === 'TASK_UNREACHABLE'
      if (isLost || this.carried.has(key)) this.removeTask(key)
    }
    const rival = this.agents.rivalOf(agent)
    this.agents.set(agent)
    this.#replaced.delete(agent.id)
    if (rival !== undefined) {
      this.touched?.agents.add(rival.id)
      this.#drop(rival.id)
      this.#replaced.set(rival.id, rival)
    }
    this.hint(agent.id, change)
  }

  /** The agent never comes back. */
  gone(agentId: string, change: Change): void {
    this.touched?.agents.add(agentId)
    const agent = this.agents.get(agentId) ?? this.#replaced.get(agentId)
    this.#drop(agentId)
    this.#replaced.delete(agentId)
    if (agent === undefined) return
    const { address, hostname } = agent
    const isAddressInUse = address !== undefined && this.agents.hasAddress(address)
    change.gone.push({ agentId, hostname, address, isAddressInUse })
  }

  /** Agents that were replaced, so it seems. */
  get replaced(): readonly string[] {
    return [...this.#replaced.keys()]
  }

  /** It was not replaced after all. */
  acquit(agentId: string): void {
    this.#replaced.delete(agentId)
  }

  /** Forgets an agent and its tasks. */
  #drop(agentId: string): void {
    this.agents.delete(agentId)
    for (const key of this.tasks.keysOf(agentId)) this.removeTask(key)
  }

  /** Forgets a task. */
  removeTask(key: TaskKey): void {
    this.touched?.tasks.add(key)
    this.carried.delete(key)
    this.tasks.delete(key)
  }

  /** Its live tasks were told to be killed; those on unreachable agents end without a word. */
  removeFramework(frameworkId: string, change: Change): void {
    for (const [key, task] of this.tasks.all) {
      if (task.frameworkId !== frameworkId) continue
      this.hint(task.agentId, change)
      this.removeTask(key)
    }
  }

  /** Something changed on this agent. */
  hint(agentId: string, change: Change): void {
    const agent = this.agents.get(agentId)
    if (agent?.address !== undefined) change.hints.add(agent.address)
    else if (agent !== undefined) change.named.add(agent.hostname)
  }

  /** How many entries each collection has, for those who look for leaks. */
  get sizes(): Readonly<Record<string, number>> {
    return {
      tasks: this.tasks.all.size,
      agentsWithTasks: this.tasks.agentCount,
      agents: this.agents.all.size,
      places: this.agents.placeCount,
      carried: this.carried.size,
      replaced: this.#replaced.size,
      touched: (this.touched?.tasks.size ?? 0) + (this.touched?.agents.size ?? 0),
    }
  }

  /** To be called when awaited agents have been noted. */
  scheduleExpiry(): void {
    this.#nextExpiryMs = Number.POSITIVE_INFINITY
    for (const { awaitedUntilMs = Number.POSITIVE_INFINITY } of this.agents.all.values()) {
      this.#nextExpiryMs = Math.min(this.#nextExpiryMs, awaitedUntilMs)
    }
  }

  /** Gives up awaited agents that no snapshot has listed for too long: the master did so too. */
  expire(nowMs: number, change: Change): void {
    if (nowMs < this.#nextExpiryMs) return
    for (const { id, awaitedUntilMs } of [...this.agents.all.values()]) {
      if (awaitedUntilMs === undefined || nowMs < awaitedUntilMs) continue
      this.hint(id, change)
      this.agents.delete(id)
      // It may be about to return: tasks that were told since are not from before.
      for (const key of this.tasks.keysOf(id)) if (this.carried.has(key)) this.removeTask(key)
    }
    this.scheduleExpiry()
  }
}
