/** A cluster in virtual time whose stream the product hears, for one named scenario. */
import type { SimulatedTask, TaskState } from '../../../src/demo/agent/task.ts'
import type { Pace } from '../../../src/demo/mesos/agent.ts'
import type { Report } from '../../../src/demo/mesos/agent-tasks.ts'
import { type MesosVersion, rulesOf } from '../../../src/demo/mesos/rules.ts'
import type { Task } from '../../../src/model/task.ts'
import { compareAgents, tasksRead } from '../../sim/mesos/agent-oracle.ts'
import { type EncoderName, encoderOf } from '../../sim/mesos/encoders.ts'
import { openMasterFacts } from '../../sim/mesos/facts-subject.ts'
import { compareToTruth } from '../../sim/mesos/oracle.ts'
import { Scene } from '../../sim/mesos/scene.ts'
import type { Subject } from '../../sim/mesos/subject.ts'

/** Where and how fast tasks start. */
export interface LaunchOptions {
  readonly agentIndex?: number
  readonly frameworkIndex?: number
  readonly pace?: Pace
}

/** How a scenario begins. */
export interface StageOptions {
  readonly version?: MesosVersion
  readonly seed?: number
  readonly agents?: number
  /** Default: protobuf. */
  readonly encoding?: EncoderName
}

const HEALTH = 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED'

/** Plays a scenario; agents are numbered from 0, tasks have the names that the scenario gives. */
export class MesosStage {
  readonly subject: Subject = openMasterFacts()
  readonly scene: Scene
  /** Events by type and state, e.g. `TASK_UPDATED TASK_RUNNING`. */
  readonly told: string[] = []

  constructor({
    version = '1.11',
    seed = 1,
    agents = 3,
    encoding = 'protobuf',
  }: StageOptions = {}) {
    const say = (line: string): void => {
      const [, type] = /^\d+ ([A-Z_]+) \{/.exec(line) ?? []
      const states = [...line.matchAll(/"state":"(TASK_[A-Z_]+)"/g)].map(([, state]) => state)
      if (type !== undefined && type !== 'HEARTBEAT')
        this.told.push([type, states.at(-1)].join(' '))
    }
    this.scene = new Scene({
      ...{ seed, version, agents, say, ear: this.subject.ear },
      encoder: encoderOf(encoding, rulesOf(version)),
      cutsAnywhere: true,
    })
    const { schedule } = this.scene
    this.subject.starts(() => schedule.nowMs())
    this.run(1)
    this.told.length = 0
  }

  /** Lets seconds pass. */
  run(seconds: number): void {
    this.scene.schedule.runFor(seconds * 1000)
  }

  /** Launches a task on an agent; it runs a second later. @returns its key */
  launch(id: string, agentIndex = 0, frameworkIndex = 0): string {
    const spec = { name: id, id, ports: [{ port: 8080, vips: ['/web:80'] }] }
    const [key = ''] = this.launchGroup([spec], { agentIndex, frameworkIndex })
    return key
  }

  /** Launches tasks that belong together; they run a second later. @returns their keys */
  launchGroup(
    specs: readonly SimulatedTask[],
    { agentIndex = 0, frameworkIndex = 0, pace }: LaunchOptions = {},
  ): readonly string[] {
    const frameworkId = this.scene.schedulers[frameworkIndex]?.spec.id ?? ''
    const place = { agent: this.agent(agentIndex), frameworkId }
    const paced = pace === undefined ? place : { ...place, pace }
    const keys = this.scene.cluster.launchGroup(specs, paced)
    if (keys.length !== specs.length) throw new Error('they cannot be launched')
    this.run(1)
    return keys
  }

  /** What the product reads of a task from the API of its agent. */
  read(key: string, agentIndex = 0): Task | undefined {
    return tasksRead(this.agent(agentIndex), this.scene.cluster.rules).get(key)
  }

  agent(index: number): Scene['agents'][number] {
    const agent = this.scene.agents[index]
    if (agent === undefined) throw new Error(`there is no agent ${index}`)
    return agent
  }

  /** The executor of a task reports. */
  report(key: string, state: TaskState, details: Partial<Report> = {}): void {
    this.scene.cluster.agentOf(key)?.tasks.report(key, { state, ...details })
  }

  /** A result of the task's health check. */
  health(key: string, isHealthy: boolean): void {
    this.report(key, 'TASK_RUNNING', { isHealthy, reason: HEALTH })
  }

  /** What the product believes of a task. */
  stateOf(key: string): string | undefined {
    return this.subject.tasks().get(key)?.state
  }

  /** What masters and agents tell the product, and after an audit its picture again, equal the truth. @throws */
  expectTruth(): void {
    this.run(1)
    this.scene.listener.flush()
    compareToTruth(this.scene, this.subject)
    compareAgents(this.scene)
  }
}
