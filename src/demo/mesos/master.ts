/**
 * A leading master: what it knows (master-state.ts), whom it tells (subscribers), and what reaches
 * it from agents and schedulers. A new one begins with the registry and nothing else.
 */
import type { JsonMessage } from '../agent/json.ts'
import { idOf } from '../agent/state.ts'
import { keyOfTask, type Launch, type SimulatedAgent } from './agent.ts'
import type { AgentUpdate } from './agent-tasks.ts'
import {
  admitAgent,
  agentDisconnected,
  giveUpRecovered,
  markGone,
  markUnreachable,
  readmitAgent,
  removeAgent,
} from './master-agents.ts'
import { removeFramework, subscribeFramework, updateFramework } from './master-frameworks.ts'
import {
  addTask,
  hasCapability,
  type MasterState,
  type Registry,
  removeTask,
  updateTask,
} from './master-state.ts'
import { isTerminalState } from './messages.ts'
import type { MesosRules } from './rules.ts'
import type { World } from './schedule.ts'
import type { SimulatedScheduler } from './scheduler.ts'
import { getState } from './snapshot.ts'
import { Subscribers } from './subscribers.ts'

/** Five pings of 15 s without an answer. */
const UNREACHABLE_AFTER_MS = 75_000
/** `--agent_reregister_timeout`, its least value. */
const REREGISTER_WITHIN_MS = 600_000

/** How schedulers acknowledge. */
export interface Acknowledging {
  readonly delayMs: number
  /** From 0 to 1. */
  readonly lossChance: number
}

/** How a master begins. */
export interface MasterOptions {
  readonly id: string
  readonly world: World
  readonly rules: MesosRules
  readonly registry: Registry
  readonly acknowledging: () => Acknowledging
}

/** A leading master. */
export class SimulatedMaster {
  readonly id: string
  readonly state: MasterState
  readonly subscribers: Subscribers
  readonly #acknowledging: () => Acknowledging
  readonly #callOff: () => void
  #hasEnded = false

  constructor(options: MasterOptions) {
    const { world, rules, registry } = options
    this.id = options.id
    this.#acknowledging = options.acknowledging
    this.subscribers = new Subscribers(world.schedule, rules)
    this.state = {
      world,
      rules,
      registry,
      agents: new Map(),
      recovered: new Map(registry.agents),
      frameworks: new Map(),
      completedFrameworks: new Map(),
      untold: new Set(),
      emit: (event) => this.subscribers.send(event),
    }
    const giveUp = () => giveUpRecovered(this.state)
    this.#callOff = world.schedule.after(REREGISTER_WITHIN_MS, giveUp)
  }

  /** Its process ends; connections break. */
  end(how: 'reset' | 'fin'): void {
    this.#hasEnded = true
    this.#callOff()
    for (const agent of this.state.agents.values()) agent.callOff?.()
    for (const framework of this.state.frameworks.values()) framework.callOff?.()
    this.subscribers.closeAll(how)
  }

  /** The answer to GET_STATE. */
  get snapshot(): JsonMessage {
    return getState(this.state)
  }

  /** An agent registers, for the first time or again; the connection is up. */
  register(agent: SimulatedAgent): void {
    const { registration } = agent
    agent.toMaster.send(() => {
      if (this.#hasEnded) return
      if (agent.id === undefined) {
        const id = admitAgent(this.state, agent, this.id)
        agent.fromMaster.send(() => this.#confirm(agent, id))
      } else if (readmitAgent(this.state, agent, registration)) {
        const { id } = agent
        agent.fromMaster.send(() => this.#confirm(agent, id))
      } else {
        agent.tasks.clear()
        agent.isUp = false
      }
    })
  }

  /** The connection to an agent broke: it has 75 s to come back. */
  lose(agent: SimulatedAgent): void {
    // One that has not heard of its admission yet is admitted all the same.
    for (const entry of this.state.agents.values()) {
      if (entry.agent !== agent || !entry.isConnected) continue
      agentDisconnected(entry)
      const give = () => markUnreachable(this.state, entry)
      entry.callOff = this.state.world.schedule.after(UNREACHABLE_AFTER_MS, give)
    }
  }

  /** The agent unregisters, or maintenance takes its machine down. */
  unregister(agent: SimulatedAgent): void {
    const entry = this.#entryOf(agent)
    if (entry !== undefined) removeAgent(this.state, entry)
  }

  /** The operator calls MARK_AGENT_GONE. */
  markGone(agentId: string): void {
    const agent = this.state.agents.get(agentId)?.agent
    markGone(this.state, agentId)
    if (!this.state.registry.gone.has(agentId) || agent === undefined) return
    agent.tasks.clear()
    agent.isUp = false
    agent.disconnected()
  }

  /** A scheduler subscribes. @returns false when its framework was removed */
  subscribe(scheduler: SimulatedScheduler, isReturning: boolean): boolean {
    return subscribeFramework(this.state, scheduler, isReturning)
  }

  /** The scheduler calls UPDATE_FRAMEWORK. */
  updateFramework(scheduler: SimulatedScheduler): void {
    updateFramework(this.state, scheduler)
  }

  /** The scheduler's connection broke: nobody is told; its time begins to run. */
  loseFramework(frameworkId: string): void {
    const framework = this.state.frameworks.get(frameworkId)
    if (framework === undefined || !framework.isConnected) return
    framework.isConnected = false
    const seconds = framework.scheduler?.spec.failoverTimeoutSeconds ?? 604_800
    const remove = () => removeFramework(this.state, framework)
    framework.callOff = this.state.world.schedule.after(seconds * 1000, remove)
  }

  /** The framework is torn down. */
  tearDown(frameworkId: string): void {
    const framework = this.state.frameworks.get(frameworkId)
    if (framework !== undefined) removeFramework(this.state, framework)
  }

  /** A framework accepts an offer for tasks that belong together. @returns whether there was one */
  launch(agent: SimulatedAgent, launches: readonly Launch[]): boolean {
    const entry = this.#entryOf(agent)
    const [first] = launches
    const framework = first && this.state.frameworks.get(idOf(first.framework, 'id'))
    if (!entry?.isConnected || !framework?.isConnected) return false
    for (const { message } of launches) addTask(this.state, entry, message)
    agent.fromMaster.send(() => {
      for (const launch of launches) agent.launch(launch)
    })
    return true
  }

  /** A framework kills one of its tasks. */
  kill(key: string, graceMs: number): void {
    const entry = [...this.state.agents.values()].find(({ tasks }) => tasks.has(key))
    const task = entry?.tasks.get(key)
    if (entry === undefined || task === undefined) return
    const framework = this.state.frameworks.get(idOf(task, 'framework_id'))
    const saysKilling = hasCapability(framework, 'TASK_KILLING_STATE')
    const { agent } = entry
    agent.fromMaster.send(() => agent.kill(key, { graceMs, saysKilling }))
  }

  #confirm(agent: SimulatedAgent, id: string | undefined): void {
    if (id !== undefined) agent.registered(id, (update) => this.#statusUpdate(agent, update))
  }

  #statusUpdate(agent: SimulatedAgent, update: AgentUpdate): void {
    const entry = this.#entryOf(agent)
    const task = entry?.tasks.get(update.key)
    if (this.#hasEnded || entry === undefined || task === undefined) return
    updateTask(this.state, entry, update)
    const framework = this.state.frameworks.get(idOf(task, 'framework_id'))
    if (!framework?.isConnected || framework.scheduler?.isRunning !== true) return
    const { delayMs, lossChance } = this.#acknowledging()
    const { schedule, random } = this.state.world
    if (random.next() < lossChance) return
    schedule.after(delayMs, () => this.#acknowledge(agent, update))
  }

  #acknowledge(agent: SimulatedAgent, { key, status }: AgentUpdate): void {
    const entry = this.#entryOf(agent)
    if (this.#hasEnded || entry === undefined || !entry.isConnected) return
    const task = entry.tasks.get(key)
    const isLast = task?.['status_update_uuid'] === status['uuid']
    if (task !== undefined && isLast && isTerminalState(task['status_update_state'])) {
      removeTask(this.state, { agent: entry, key: keyOfTask(task) }, 'completed')
    }
    agent.fromMaster.send(() => agent.tasks.acknowledge(key, status['uuid']))
  }

  #entryOf(agent: SimulatedAgent): ReturnType<MasterState['agents']['get']> {
    const entry = agent.id === undefined ? undefined : this.state.agents.get(agent.id)
    return entry?.agent === agent ? entry : undefined
  }
}
