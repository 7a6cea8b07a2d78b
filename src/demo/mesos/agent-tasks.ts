/**
 * The tasks of one agent: executors report, the agent keeps the newest state and a queue of
 * statuses per task, of which it sends the oldest until it is acknowledged.
 *
 * **Source:** Apache Mesos `src/slave/slave.cpp` (statusUpdate, forward),
 * `src/status_update_manager/status_update_manager_process.hpp`
 */
import { createHash } from 'node:crypto'
import type { Json, JsonMessage } from '../agent/json.ts'
import { idOf } from '../agent/state.ts'
import { networkInfos, type SimulatedTask } from '../agent/task.ts'
import { type AnyTaskState, idMessage, isTerminalState } from './messages.ts'
import type { World } from './schedule.ts'

/** First wait for an acknowledgement; each further one is twice as long, at most ten minutes. */
const FIRST_RETRY_MS = 10_000
const LAST_RETRY_MS = 600_000
/** As many completed tasks are kept per agent; the oldest goes first. */
const MAX_COMPLETED = 150

const BEFORE_RUNNING: ReadonlySet<string> = new Set(['TASK_STAGING', 'TASK_STARTING'])

/** What an executor (or the agent itself) says of a task. */
export interface Report {
  readonly state: AnyTaskState
  readonly isHealthy?: boolean
  readonly reason?: string
  readonly source?: string
}

/** An update on its way to the master. */
export interface AgentUpdate {
  readonly key: string
  readonly status: JsonMessage
  /** The newest state that the agent knows. */
  readonly latestState: Json
}

/** A task that has not ended, as its executor said it; not as the agent's messages have it. */
export interface LiveTask {
  readonly key: string
  readonly spec: SimulatedTask
  readonly state: AnyTaskState
  /** Whether it was ever reported as running, or as anything that comes later. */
  readonly hasRun: boolean
  /** The last result of its health check. */
  readonly isHealthy: boolean | undefined
  /** The agent's address at the last report. */
  readonly agentIp: string
}

interface AgentTask {
  readonly spec: SimulatedTask | undefined
  /** The executor's own picture. */
  said: Omit<LiveTask, 'key' | 'spec'>
  message: JsonMessage
  /** Unacknowledged statuses, oldest first. */
  readonly queue: JsonMessage[]
  callOff: (() => void) | undefined
}

/** How tasks reach the master. */
export interface AgentTasksOptions {
  readonly world: World
  /** The agent's address now. */
  readonly ip: () => string
  /** Sends to the master; false while there is no connection. */
  readonly send: (update: AgentUpdate) => boolean
}

/** The tasks that an agent knows. */
export class AgentTasks {
  /** Is told the key of each task whose state has changed, or that is forgotten. */
  onChange: ((key: string) => void) | undefined
  readonly #options: AgentTasksOptions
  readonly #tasks = new Map<string, AgentTask>()
  #completed: JsonMessage[] = []
  #serial = 0

  constructor(options: AgentTasksOptions) {
    this.#options = options
  }

  /** Task messages of live tasks and of ended ones whose end is not acknowledged. */
  get messages(): readonly JsonMessage[] {
    return [...this.#tasks.values()].map(({ message }) => message)
  }

  get completed(): readonly JsonMessage[] {
    return this.#completed
  }

  /** Keys of the tasks that have not ended. */
  get liveKeys(): readonly string[] {
    const isLive = ({ message }: AgentTask) => !isTerminalState(message['state'])
    return [...this.#tasks].filter(([, task]) => isLive(task)).map(([key]) => key)
  }

  /** The tasks that have not ended, as executors said it. */
  get live(): readonly LiveTask[] {
    return [...this.#tasks].flatMap(([key, { spec, said }]) =>
      spec === undefined || isTerminalState(said.state) ? [] : [{ key, spec, ...said }],
    )
  }

  /** The task's message. */
  message(key: string): JsonMessage | undefined {
    return this.#tasks.get(key)?.message
  }

  has(key: string): boolean {
    return this.#tasks.has(key)
  }

  /** How many statuses of the task wait for an acknowledgement. */
  unacknowledged(key: string): number {
    return this.#tasks.get(key)?.queue.length ?? 0
  }

  add(key: string, message: JsonMessage, spec: SimulatedTask | undefined): void {
    const said = {
      state: 'TASK_STAGING',
      hasRun: false,
      isHealthy: undefined,
      agentIp: '',
    } as const
    this.#tasks.set(key, { spec, said, message, queue: [], callOff: undefined })
  }

  /** The task's executor reports; after the end of the task nobody listens to it. */
  report(key: string, report: Report): void {
    const task = this.#tasks.get(key)
    if (task === undefined || isTerminalState(task.message['state'])) return
    const { said } = task
    task.said = {
      state: report.state,
      hasRun: said.hasRun || !BEFORE_RUNNING.has(report.state),
      isHealthy: report.isHealthy ?? said.isHealthy,
      agentIp: this.#options.ip(),
    }
    const status = this.#statusOf(task, report)
    const statuses = (task.message['statuses'] ?? []) as readonly JsonMessage[]
    const isRepeat = statuses.at(-1)?.['state'] === report.state
    const kept = isRepeat ? statuses.slice(0, -1) : statuses
    task.message = { ...task.message, state: report.state, statuses: [...kept, status] }
    task.queue.push(status)
    if (task.queue.length === 1) this.#forward(key, FIRST_RETRY_MS)
    this.onChange?.(key)
    this.#endGroup(task, report)
  }

  /** The tasks of a group end together, unless one has finished its work. */
  #endGroup({ spec, message }: AgentTask, { state }: Report): void {
    if (spec?.pod === undefined || !isTerminalState(state) || state === 'TASK_FINISHED') return
    for (const [key, other] of [...this.#tasks]) {
      const isSame = idOf(other.message, 'framework_id') === idOf(message, 'framework_id')
      if (isSame && other.spec?.pod === spec.pod) this.report(key, { state: 'TASK_KILLED' })
    }
  }

  /** The framework has seen the status. */
  acknowledge(key: string, uuid: Json): void {
    const task = this.#tasks.get(key)
    const [status] = task?.queue ?? []
    if (task === undefined || status === undefined || status['uuid'] !== uuid) return
    task.queue.shift()
    task.callOff?.()
    if (isTerminalState(status['state'])) this.drop(key)
    else if (task.queue.length > 0) this.#forward(key, FIRST_RETRY_MS)
  }

  /** After a (re)registration everything that waits is sent again. */
  resume(): void {
    for (const key of this.#tasks.keys()) this.#forward(key, FIRST_RETRY_MS)
  }

  /** Forgets a task without a word; it remains among the completed. */
  drop(key: string): void {
    const task = this.#tasks.get(key)
    if (task === undefined) return
    task.callOff?.()
    this.#tasks.delete(key)
    this.#completed = [...this.#completed, task.message].slice(-MAX_COMPLETED)
    this.onChange?.(key)
  }

  /** The machine started anew: nothing of all that runs. */
  clear(): void {
    for (const key of [...this.#tasks.keys()]) this.drop(key)
  }

  #forward(key: string, waitMs: number): void {
    const task = this.#tasks.get(key)
    const [status] = task?.queue ?? []
    if (task === undefined || status === undefined) return
    task.callOff?.()
    task.message = {
      ...task.message,
      status_update_state: status['state'],
      status_update_uuid: status['uuid'],
    }
    const isSent = this.#options.send({ key, status, latestState: task.message['state'] })
    if (!isSent) return
    const again = () => this.#forward(key, Math.min(waitMs * 2, LAST_RETRY_MS))
    task.callOff = this.#options.world.schedule.after(waitMs, again)
  }

  #statusOf({ spec, message }: AgentTask, report: Report): JsonMessage {
    const taskId = idOf(message, 'task_id')
    const executorId = idOf(message, 'executor_id') || taskId
    const digest = createHash('md5').update(`${taskId} ${++this.#serial}`)
    const isFromAgent = report.source !== undefined
    return {
      task_id: message['task_id'],
      state: report.state,
      agent_id: message['agent_id'],
      timestamp: this.#options.world.schedule.wallMs() / 1000,
      executor_id: isFromAgent ? undefined : idMessage(executorId),
      healthy: report.isHealthy,
      source: report.source ?? 'SOURCE_EXECUTOR',
      reason: report.reason,
      uuid: digest.digest('base64'),
      container_status: isFromAgent ? undefined : this.#containerStatus(spec, taskId, report),
    }
  }

  #containerStatus(spec: SimulatedTask | undefined, taskId: string, { state }: Report): Json {
    if (spec === undefined || state === 'TASK_GONE_BY_OPERATOR') return undefined
    return {
      network_infos: networkInfos(spec, state, this.#options.ip()),
      executor_pid: 4711,
      container_id: {
        value: `container-${taskId}`,
        parent: spec.pod === undefined ? undefined : idMessage(`container-${spec.pod}`),
      },
    }
  }
}
