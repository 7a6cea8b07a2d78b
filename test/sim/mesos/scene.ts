/** A cluster, its listener and its time, as steps and scenarios play with them. */
import type { Random } from '../../../src/base/random.ts'
import { seededRandom } from '../../../src/base/random.ts'
import type { SimulatedTask } from '../../../src/demo/agent/task.ts'
import type { Pace, SimulatedAgent } from '../../../src/demo/mesos/agent.ts'
import { SimulatedCluster } from '../../../src/demo/mesos/cluster.ts'
import { type Encoder, JSON_ENCODER } from '../../../src/demo/mesos/encoding.ts'
import type { MesosVersion } from '../../../src/demo/mesos/rules.ts'
import type { SimulatedScheduler } from '../../../src/demo/mesos/scheduler.ts'
import { below } from '../dice.ts'
import { type Ear, Listener } from './listener.ts'
import { VirtualSchedule } from './virtual-schedule.ts'

/** How a scene begins. */
export interface SceneOptions {
  readonly seed: number
  readonly version: MesosVersion
  readonly ear?: Ear
  readonly encoder?: Encoder
  readonly cutsAnywhere?: boolean
  readonly agents?: number
  readonly say?: (line: string) => void
}

/** Three masters, some agents, one framework that knows all capabilities, and a listener. */
export class Scene {
  readonly schedule: VirtualSchedule = new VirtualSchedule()
  readonly random: Random
  readonly cluster: SimulatedCluster
  readonly listener: Listener
  readonly say: (line: string) => void
  /** Keys of all tasks that were ever launched. */
  readonly keys: string[] = []
  #addresses = 0

  constructor(options: SceneOptions) {
    const { seed, version, ear, say, encoder = JSON_ENCODER, cutsAnywhere = false } = options
    this.random = seededRandom(seed)
    this.say = (line) => say?.(line)
    const world = { schedule: this.schedule, random: this.random }
    this.cluster = new SimulatedCluster({ world, version })
    this.cluster.elect(0, { recoveryMs: 0, returnWithinMs: 0 })
    this.schedule.runFor(1)
    this.addFramework(true)
    for (let count = 0; count < (options.agents ?? 3); count++) this.addAgent()
    this.schedule.runFor(100)
    const heard = { world, cluster: this.cluster, encoder, ear, cutsAnywhere }
    this.listener = new Listener({ ...heard, ...(say === undefined ? {} : { say }) })
  }

  get agents(): readonly SimulatedAgent[] {
    return this.cluster.agents
  }

  get schedulers(): readonly SimulatedScheduler[] {
    return [...this.cluster.schedulers.values()]
  }

  /** Agents that run and can be reached. */
  get up(): readonly SimulatedAgent[] {
    return this.agents.filter(({ isUp, isReachable }) => isUp && isReachable)
  }

  /** Agents that do not run. */
  get idle(): readonly SimulatedAgent[] {
    return this.agents.filter(({ isUp }) => !isUp)
  }

  /** An address that no agent has had. */
  freshIp(): string {
    return `10.0.${this.#addresses >> 8}.${this.#addresses++ % 256}`
  }

  addAgent(): SimulatedAgent {
    return this.cluster.addAgent({ ip: this.freshIp() })
  }

  /** The n-th framework; unaware ones know neither TASK_KILLING nor partitions. */
  addFramework(isAware: boolean): void {
    const count = this.cluster.schedulers.size
    if (count >= 5) return
    const id = `5f3d1f0e-0000-4000-8000-000000000001-${String(count).padStart(4, '0')}`
    const spec = { id, name: `framework-${count}`, failoverTimeoutSeconds: 60 * (count + 1) }
    this.cluster.addFramework(isAware ? spec : { ...spec, capabilities: [] })
  }

  /** Launches on a drawn agent. */
  launch(which: number, spec: SimulatedTask, pace?: Pace): void {
    const agent = this.agents[which % Math.max(1, this.agents.length)]
    const scheduler = this.schedulers[below(this.random, this.schedulers.length)]
    if (agent === undefined || scheduler === undefined) return
    const place = { agent, frameworkId: scheduler.spec.id, ...(pace === undefined ? {} : { pace }) }
    const key = this.cluster.launch(spec, place)
    if (key !== undefined) this.keys.push(key)
  }

  /** Launches a task group on a drawn agent. */
  launchPod(which: number, specs: readonly SimulatedTask[]): void {
    const agent = this.agents[which % Math.max(1, this.agents.length)]
    const scheduler = this.schedulers[below(this.random, this.schedulers.length)]
    if (agent === undefined || scheduler === undefined) return
    const pod = `pod-${this.keys.length}`
    const group = specs.map((spec) => ({ ...spec, pod }))
    this.keys.push(...this.cluster.launchGroup(group, { agent, frameworkId: scheduler.spec.id }))
  }

  /** Does something to the n-th live task. */
  withTask(which: number, act: (agent: SimulatedAgent, key: string) => void): void {
    const live = this.agents.flatMap((agent) => agent.tasks.liveKeys.map((key) => ({ agent, key })))
    const chosen = live[which % Math.max(1, live.length)]
    if (chosen !== undefined) act(chosen.agent, chosen.key)
  }

  /** All faults end: somebody leads, agents and schedulers are back, acknowledgements arrive. */
  calm(): void {
    const { cluster } = this
    cluster.acknowledging = { delayMs: 10, lossChance: 0 }
    if (cluster.leader === undefined) cluster.elect(1, { recoveryMs: 500, returnWithinMs: 1000 })
    this.schedule.runFor(10_000)
    for (const agent of this.agents) {
      agent.isHeldBack = false
      if (agent.isUp) cluster.heal(agent)
    }
    // Retries wait ten minutes at most.
    this.schedule.runFor(1_500_000)
    this.listener.flush()
  }
}
