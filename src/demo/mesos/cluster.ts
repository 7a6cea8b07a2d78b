/**
 * A simulated Mesos cluster: masters of which one leads, agents, frameworks, and what happens to
 * them. Its truth is what a test compares with; its events are what a client gets.
 */

import type { Json } from '../agent/json.ts'
import { launchedTask, type SimulatedTask } from '../agent/task.ts'
import { type AgentPlace, keyOfTask, type Pace, SimulatedAgent } from './agent.ts'
import { type Acknowledging, SimulatedMaster } from './master.ts'
import type { Registry } from './master-state.ts'
import { type MesosRules, type MesosVersion, rulesOf } from './rules.ts'
import type { World } from './schedule.ts'
import { type FrameworkSpec, SimulatedScheduler } from './scheduler.ts'
import { skewed } from './skewed.ts'

/** What a master is at the moment. */
export type MasterRole =
  | { readonly kind: 'leading'; readonly master: SimulatedMaster }
  | { readonly kind: 'recovering' }
  | { readonly kind: 'standby'; readonly leader: number | undefined }

/** How a cluster begins. */
export interface ClusterOptions {
  readonly world: World
  readonly version: MesosVersion
}

/** How a new leader begins. */
export interface Election {
  /** How long it answers 503 before it leads; default 500 ms. */
  readonly recoveryMs?: number
  /** Agents and schedulers come back within; default 10 s. */
  readonly returnWithinMs?: number
}

/** Which tasks to launch where. */
export interface LaunchPlace {
  readonly agent: SimulatedAgent
  readonly frameworkId: string
  /** Default: TASK_STARTING after 100 ms, TASK_RUNNING after another 400. */
  readonly pace?: Pace
}

const OFFER_FILTERS: Json = {
  slave_public: {
    min_allocatable_resources: { quantities: [{ quantities: { cpus: { value: 1 } } }] },
  },
}
const TASK_LIMITS: Json = { cpus: { value: 2 }, mem: { value: 256 } }
const PACE: Pace = { startingMs: 100, runningMs: 400 }

/** A simulated cluster. */
export class SimulatedCluster {
  readonly rules: MesosRules
  readonly agents: SimulatedAgent[] = []
  readonly schedulers: Map<string, SimulatedScheduler> = new Map()
  /** How schedulers acknowledge from now on. */
  acknowledging: Acknowledging = { delayMs: 10, lossChance: 0 }
  readonly #world: World
  readonly #registry: Registry = {
    agents: new Map(),
    unreachable: new Set(),
    gone: new Set(),
    agentCount: 0,
  }
  /** The wall clocks of masters are so much ahead. */
  masterClockOffsetMs = 0
  readonly #subscribed = new Set<string>()
  #leader: number | undefined
  #master: SimulatedMaster | undefined
  #term = 0
  #returnWithinMs = 0
  #serial = 0

  constructor({ world, version }: ClusterOptions) {
    this.#world = world
    this.rules = rulesOf(version)
  }

  /** The leading master; undefined before an election and while it recovers. */
  get master(): SimulatedMaster | undefined {
    return this.#master
  }

  /** Number of the master that was elected. */
  get leader(): number | undefined {
    return this.#leader
  }

  /** What master `index` is now. */
  roleOf(index: number): MasterRole {
    if (index !== this.#leader) return { kind: 'standby', leader: this.#leader }
    if (this.#master === undefined) return { kind: 'recovering' }
    return { kind: 'leading', master: this.#master }
  }

  /** Master `index` is elected, recovers, and leads. */
  elect(index: number, { recoveryMs = 500, returnWithinMs = 10_000 }: Election = {}): void {
    this.#leader = index
    this.#returnWithinMs = returnWithinMs
    const term = ++this.#term
    this.#world.schedule.after(recoveryMs, () => {
      if (term === this.#term) this.#lead()
    })
  }

  /** The leading master ends: all its connections break, and nobody leads. */
  failLeader(how: 'reset' | 'fin' = 'reset'): void {
    this.#term++
    this.#leader = undefined
    const master = this.#master
    this.#master = undefined
    for (const agent of this.agents) agent.disconnected()
    master?.end(how)
  }

  /** A new machine with an agent joins. */
  addAgent(place: AgentPlace): SimulatedAgent {
    const agent = new SimulatedAgent(this.#world, place)
    this.agents.push(agent)
    this.connect(agent)
    return agent
  }

  /** The agent registers, if it can. */
  connect(agent: SimulatedAgent): void {
    const master = this.#master
    const canRegister = agent.isUp && agent.isReachable && !agent.isHeldBack
    if (master === undefined || !canRegister || agent.toMaster.isUp) return
    agent.toMaster.connect()
    agent.fromMaster.connect()
    master.register(agent)
  }

  /** The network between the agent and the masters breaks. */
  cut(agent: SimulatedAgent): void {
    agent.isReachable = false
    this.#disconnect(agent)
  }

  /** The network is whole again. */
  heal(agent: SimulatedAgent): void {
    agent.isReachable = true
    this.connect(agent)
  }

  /** The agent's process ends; executors go on. */
  stop(agent: SimulatedAgent): void {
    agent.isUp = false
    this.#disconnect(agent)
  }

  /** It starts again, perhaps at another address. */
  start(agent: SimulatedAgent, place?: AgentPlace): void {
    agent.isUp = true
    agent.ip = place?.ip ?? agent.ip
    agent.hostname = place?.hostname ?? place?.ip ?? agent.hostname
    agent.started()
    this.connect(agent)
  }

  /** The machine starts anew: its tasks are gone, its id as well unless it is kept. */
  reboot(agent: SimulatedAgent, { keepsId }: { readonly keepsId: boolean }): void {
    this.stop(agent)
    agent.tasks.clear()
    if (!keepsId) agent.id = undefined
    this.start(agent)
  }

  /** The agent unregisters for good. */
  remove(agent: SimulatedAgent): void {
    this.#master?.unregister(agent)
    agent.tasks.clear()
    this.stop(agent)
    agent.id = undefined
  }

  /** A framework subscribes. */
  addFramework(spec: FrameworkSpec): SimulatedScheduler {
    const offerFilters = this.rules.hasOfferFilters ? OFFER_FILTERS : undefined
    const scheduler = new SimulatedScheduler({ offerFilters, ...spec })
    this.schedulers.set(spec.id, scheduler)
    this.subscribe(scheduler)
    return scheduler
  }

  /** The scheduler subscribes (again), if somebody leads. */
  subscribe(scheduler: SimulatedScheduler): void {
    scheduler.isRunning = true
    const { id } = scheduler.spec
    const isIn = this.#master?.subscribe(scheduler, this.#subscribed.has(id))
    if (isIn === true) this.#subscribed.add(id)
    if (isIn === false) scheduler.isRunning = false
  }

  /** The scheduler's process ends. */
  stopFramework(scheduler: SimulatedScheduler): void {
    scheduler.isRunning = false
    this.#master?.loseFramework(scheduler.spec.id)
  }

  /** Launches a task. @returns its key; undefined when there was no offer */
  launch(spec: SimulatedTask, place: LaunchPlace): string | undefined {
    return this.launchGroup([spec], place)[0]
  }

  /** Launches tasks all at once, or none. @returns their keys */
  launchGroup(specs: readonly SimulatedTask[], place: LaunchPlace): readonly string[] {
    const { agent, frameworkId, pace = PACE } = place
    const scheduler = this.schedulers.get(frameworkId)
    const { id: agentId, ip: agentIp } = agent
    if (scheduler === undefined || agentId === undefined) return []
    const launches = specs.map((spec) => {
      const taskId = spec.id ?? `${spec.name}.${++this.#serial}`
      const launched = launchedTask(spec, { taskId, frameworkId, agentId, agentIp })
      const limits = this.rules.hasTaskLimits ? TASK_LIMITS : undefined
      const message = { ...launched, limits }
      return { key: keyOfTask(message), message, framework: scheduler.info, spec, pace }
    })
    const isIn = this.#master?.launch(agent, launches) === true
    return isIn ? launches.map(({ key }) => key) : []
  }

  /** The framework kills a task. */
  kill(key: string, graceMs = 3000): void {
    this.#master?.kill(key, graceMs)
  }

  /** The agent on which the task is. */
  agentOf(key: string): SimulatedAgent | undefined {
    return this.agents.find(({ tasks }) => tasks.has(key))
  }

  #lead(): void {
    const id = `5f3d1f0e-0000-4000-8000-${String(this.#term).padStart(12, '0')}`
    const { rules } = this
    const acknowledging = (): Acknowledging => this.acknowledging
    const world = skewed(this.#world, () => this.masterClockOffsetMs)
    this.#master = new SimulatedMaster({
      id,
      world,
      rules,
      registry: this.#registry,
      acknowledging,
    })
    for (const agent of this.agents) this.#soon(() => this.connect(agent))
    for (const scheduler of this.schedulers.values()) {
      this.#soon(() => {
        if (scheduler.isRunning) this.subscribe(scheduler)
      })
    }
  }

  #soon(run: () => void): void {
    const term = this.#term
    this.#world.schedule.after(this.#world.random.next() * this.#returnWithinMs, () => {
      if (term === this.#term) run()
    })
  }

  #disconnect(agent: SimulatedAgent): void {
    agent.disconnected()
    this.#master?.lose(agent)
  }
}
