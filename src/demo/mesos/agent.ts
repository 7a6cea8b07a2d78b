/** An agent of the simulated cluster: registration, executors, and the tasks of agent-tasks.ts. */
import type { JsonMessage } from '../agent/json.ts'
import { type AgentState, idOf } from '../agent/state.ts'
import type { SimulatedTask } from '../agent/task.ts'
import { AgentTasks, type AgentUpdate } from './agent-tasks.ts'
import { idMessage, isTerminalState } from './messages.ts'
import { Wire, type World } from './schedule.ts'
import { skewed } from './skewed.ts'

/** What an agent says of itself when it registers. */
export interface Registration {
  readonly info: JsonMessage
  readonly pid: string
  readonly tasks: readonly JsonMessage[]
  /** FrameworkInfo messages of its tasks. */
  readonly frameworks: readonly JsonMessage[]
}

/** How fast executors bring a task to TASK_RUNNING; absent: it stays as it is. */
export interface Pace {
  readonly startingMs?: number
  readonly runningMs?: number
}

/** A task as the master hands it to an agent. */
export interface Launch {
  readonly key: string
  readonly message: JsonMessage
  readonly framework: JsonMessage
  readonly spec: SimulatedTask
  readonly pace: Pace
}

/** Where an agent is. */
export interface AgentPlace {
  readonly ip: string
  readonly hostname?: string
  readonly port?: number
}

/** A simulated agent. */
export class SimulatedAgent {
  readonly tasks: AgentTasks
  readonly toMaster: Wire
  readonly fromMaster: Wire
  /** Given by the master that it first registered with. */
  id: string | undefined
  ip: string
  hostname: string
  readonly port: number
  /** Whether the process runs. */
  isUp = true
  /** Whether the network lets it reach masters. */
  isReachable = true
  /** Answers 503 while it recovers. */
  isRecovering = false
  /** Until when it waits before it registers. */
  isHeldBack = false
  /** Its wall clock is so much ahead. */
  clockOffsetMs = 0
  readonly #world: World
  readonly #frameworks = new Map<string, JsonMessage>()
  /** What executors could not tell while the agent was down. */
  readonly #waiting: (() => void)[] = []
  #onUpdate: ((update: AgentUpdate) => void) | undefined

  constructor(world: World, place: AgentPlace) {
    this.#world = world
    this.ip = place.ip
    this.hostname = place.hostname ?? place.ip
    this.port = place.port ?? 5051
    this.toMaster = new Wire(world)
    this.fromMaster = new Wire(world)
    const send = (update: AgentUpdate): boolean => this.#send(update)
    const ownTime = skewed(world, () => this.clockOffsetMs)
    this.tasks = new AgentTasks({ world: ownTime, ip: () => this.ip, send })
  }

  /** What it says when it registers. */
  get registration(): Registration {
    const tasks = this.tasks.messages
    const used = new Set(tasks.map((task) => idOf(task, 'framework_id')))
    return {
      info: this.info,
      pid: this.pid,
      tasks,
      frameworks: [...this.#frameworks].filter(([id]) => used.has(id)).map(([, info]) => info),
    }
  }

  get pid(): string {
    return `slave(1)@${this.ip}:${this.port}`
  }

  /** Its AgentInfo message. */
  get info(): JsonMessage {
    return {
      hostname: this.hostname,
      resources: agentResources(),
      attributes: [],
      id: this.id === undefined ? undefined : idMessage(this.id),
      port: this.port,
    }
  }

  /** What its own API shows. */
  get state(): AgentState {
    const all = this.tasks.messages
    return {
      agentId: this.id ?? '',
      agentIp: this.ip,
      hostname: this.hostname,
      port: this.port,
      frameworks: [...this.#frameworks.values()],
      tasks: {
        queued: [],
        launched: all.filter((task) => !isTerminalState(task['state'])),
        terminated: all.filter((task) => isTerminalState(task['state'])),
        completed: this.tasks.completed,
      },
    }
  }

  /** The master knows it now; what waits is sent. */
  registered(id: string, onUpdate: (update: AgentUpdate) => void): void {
    this.id = id
    this.#onUpdate = onUpdate
    this.tasks.resume()
  }

  /** Its process runs again: executors that waited for it report. */
  started(): void {
    for (const report of this.#waiting.splice(0)) report()
  }

  /** The connection to the master broke. */
  disconnected(): void {
    this.#onUpdate = undefined
    this.toMaster.break()
    this.fromMaster.break()
  }

  /** The master launches a task here. */
  launch({ key, message, framework, spec, pace }: Launch): void {
    this.#frameworks.set(idOf(framework, 'id'), framework)
    this.tasks.add(key, message, spec)
    const { startingMs, runningMs } = pace
    if (startingMs === undefined) return
    const health = spec.isHealthy === undefined ? {} : { isHealthy: spec.isHealthy }
    const run = () => this.tasks.report(key, { state: 'TASK_RUNNING', ...health })
    this.#later(startingMs, () => {
      // An executor that was told to kill the task before it started does not start it any more.
      if (this.tasks.message(key)?.['state'] !== 'TASK_STAGING') return
      this.tasks.report(key, { state: 'TASK_STARTING' })
      if (runningMs === undefined) return
      // One after the other: timers of a process that stood still fire in any order.
      this.#later(runningMs, () => {
        if (this.tasks.message(key)?.['state'] === 'TASK_STARTING') run()
      })
    })
  }

  /** The master asks to kill a task; the executor lets it end within the grace period. */
  kill(key: string, { graceMs, saysKilling }: { graceMs: number; saysKilling: boolean }): void {
    if (saysKilling) this.tasks.report(key, { state: 'TASK_KILLING' })
    this.#later(graceMs, () => this.tasks.report(key, { state: 'TASK_KILLED' }))
  }

  /** A task that the master believes to be here and is not. */
  answerForMissing(message: JsonMessage, key: string, isPartitionAware: boolean): void {
    if (this.tasks.has(key)) return
    this.tasks.add(key, { ...message, state: 'TASK_STAGING', statuses: [] }, undefined)
    this.tasks.report(key, {
      state: isPartitionAware ? 'TASK_DROPPED' : 'TASK_LOST',
      source: 'SOURCE_AGENT',
      reason: 'REASON_RECONCILIATION',
    })
  }

  /** The framework is gone; so are its executors. */
  shutDownFramework(frameworkId: string): void {
    for (const task of this.tasks.messages) {
      if (idOf(task, 'framework_id') === frameworkId) this.tasks.drop(keyOfTask(task))
    }
    this.#frameworks.delete(frameworkId)
  }

  #later(delayMs: number, run: () => void): void {
    this.#world.schedule.after(delayMs, () => {
      if (this.isUp) run()
      else this.#waiting.push(run)
    })
  }

  #send(update: AgentUpdate): boolean {
    const arrive = this.#onUpdate
    if (arrive === undefined || !this.toMaster.isUp) return false
    this.toMaster.send(() => arrive(update))
    return true
  }
}

/** `<framework id>/<task id>`. */
export function keyOfTask(task: JsonMessage): string {
  return `${idOf(task, 'framework_id')}/${idOf(task, 'task_id')}`
}

/** What an agent offers. */
export function agentResources(): readonly JsonMessage[] {
  const scalar = (name: string, value: number): JsonMessage => ({
    name,
    type: 'SCALAR',
    scalar: { value },
    role: '*',
  })
  const range = [{ begin: 1025, end: 32_000 }]
  const ports = { name: 'ports', type: 'RANGES', ranges: { range }, role: '*' }
  return [ports, scalar('cpus', 4), scalar('mem', 6949)]
}
