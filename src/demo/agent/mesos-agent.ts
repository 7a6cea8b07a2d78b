/**
 * A Mesos agent that is not there: the operator API of an agent over HTTP, with tasks that the
 * caller launches, moves and ends, or that a capture holds. For tests, demo and development.
 */
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../../base/clock.ts'
import type { Closeable } from '../../base/scope.ts'
import { readCapture } from './capture.ts'
import { reply } from './http.ts'
import type { JsonMessage } from './json.ts'
import { sendAnswer } from './send.ts'
import { type AgentState, idOf } from './state.ts'
import { isTerminal, type StatusUpdate, withStatus } from './status.ts'
import { launchedTask, networkInfos, type SimulatedTask, type TaskState } from './task.ts'

/** How a simulated agent is set up. */
export interface MesosAgentOptions {
  readonly clock: Clock
  /** Where it listens; default 127.0.0.1 and a free port. */
  readonly listen?: { readonly host?: string; readonly port?: number }
  /** The agent's address; default 127.0.0.1. */
  readonly agentIp?: string
  /** The agent's registered host name; default: its address. */
  readonly hostname?: string
  /** The framework of tasks that name none; default `marathon`. */
  readonly frameworkName?: string
  /** The `Authorization` header to ask for, e.g. `token=abc`; default: none. */
  readonly authorization?: string
}

/** As many completed tasks are kept per agent; the oldest goes first. */
const MAX_COMPLETED = 150
const MASTER_ID = '5f3d1f0e-0000-4000-8000-000000000000'

/** A simulated agent; {@link MesosAgentSimulator.listen} opens it. */
export class MesosAgentSimulator implements Closeable {
  readonly #options: MesosAgentOptions
  readonly #server: Server
  readonly #specs = new Map<string, SimulatedTask>()
  #state: AgentState
  #isRecovering = false
  #serial = 0
  #requestCount = 0

  private constructor(options: MesosAgentOptions) {
    this.#options = options
    this.#server = createServer((request, response) => void this.#serve(request, response))
    const agentIp = options.agentIp ?? '127.0.0.1'
    this.#state = {
      agentId: `${MASTER_ID}-S0`,
      agentIp,
      hostname: options.hostname ?? agentIp,
      port: 5051,
      frameworks: [],
      tasks: { queued: [], launched: [], terminated: [], completed: [] },
    }
  }

  /** Opens a simulated agent. */
  static async listen(options: MesosAgentOptions): Promise<MesosAgentSimulator> {
    const simulator = new MesosAgentSimulator(options)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    simulator.#server.once('error', reject)
    const { host = '127.0.0.1', port = 0 } = options.listen ?? {}
    simulator.#server.listen(port, host, resolve)
    await promise
    simulator.#state = { ...simulator.#state, port: simulator.#address.port }
    return simulator
  }

  /** Where it listens, e.g. `http://127.0.0.1:40123`. */
  get url(): string {
    const { address, family, port } = this.#address
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
  }

  /** How many requests it has answered. */
  get requestCount(): number {
    return this.#requestCount
  }

  /** Launches a task and brings it to its state. @returns the task's id */
  addTask(task: SimulatedTask): string {
    const taskId = task.id ?? `${task.name}.${++this.#serial}`
    const { agentId, agentIp } = this.#state
    const frameworkId = this.#frameworkId(
      task.framework ?? this.#options.frameworkName ?? 'marathon',
    )
    this.#specs.set(taskId, task)
    const launched = launchedTask(task, { taskId, frameworkId, agentId, agentIp })
    this.#setTasks({ launched: [...this.#state.tasks.launched, launched] })
    const state = task.state ?? 'TASK_RUNNING'
    if (state === 'TASK_STAGING') return taskId
    this.#update(taskId, 'TASK_STARTING')
    if (state === 'TASK_STARTING') return taskId
    const { isHealthy } = task
    this.#update(taskId, 'TASK_RUNNING', isHealthy === undefined ? {} : { isHealthy })
    if (state !== 'TASK_RUNNING') this.setTaskState(taskId, state)
    return taskId
  }

  /** The task's executor reports a state. A terminal one moves the task to the terminated. */
  setTaskState(taskId: string, state: TaskState): void {
    this.#update(taskId, state)
    if (!isTerminal(state)) return
    const { launched, terminated } = this.#state.tasks
    const ended = launched.filter((task) => idOf(task, 'task_id') === taskId)
    const alive = launched.filter((task) => idOf(task, 'task_id') !== taskId)
    this.#setTasks({ launched: alive, terminated: [...terminated, ...ended] })
  }

  /** The task's health check has a result; undefined: a status without one. */
  setHealth(taskId: string, isHealthy: boolean | undefined): void {
    const reason = 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED'
    this.#update(taskId, 'TASK_RUNNING', isHealthy === undefined ? {} : { isHealthy, reason })
  }

  /** The task has ended and is acknowledged: it only remains among the completed. */
  removeTask(taskId: string): void {
    const { launched, terminated, completed } = this.#state.tasks
    const isIt = (task: JsonMessage) => idOf(task, 'task_id') === taskId
    const removed = [...launched, ...terminated].filter(isIt)
    this.#specs.delete(taskId)
    this.#setTasks({
      launched: launched.filter((task) => !isIt(task)),
      terminated: terminated.filter((task) => !isIt(task)),
      completed: [...completed, ...removed].slice(-MAX_COMPLETED),
    })
  }

  /** While it recovers, an agent answers 503. */
  setRecovering(isRecovering: boolean): void {
    this.#isRecovering = isRecovering
  }

  /**
   * Replaces the state by a captured one: JSON answers to GET_STATE or GET_TASKS, or v0 `/state`.
   *
   * @throws Error when the file is none of these
   */
  async loadStateFile(path: string): Promise<void> {
    this.loadState(await readFile(path, 'utf8'))
  }

  /** As {@link loadStateFile}, with the file's text. */
  loadState(text: string): void {
    const captured = readCapture(text, this.#options.frameworkName ?? 'marathon')
    const { agentIp, hostname } = this.#options
    this.#specs.clear()
    this.#state = {
      ...this.#state,
      ...captured,
      // What the caller set goes before what the capture holds.
      ...(agentIp === undefined ? {} : { agentIp, hostname: agentIp }),
      ...(hostname === undefined ? {} : { hostname }),
    }
  }

  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    this.#server.closeAllConnections()
    await promise
  }

  get #address(): AddressInfo {
    return this.#server.address() as AddressInfo
  }

  #frameworkId(name: string): string {
    const known = this.#state.frameworks.find((framework) => framework['name'] === name)
    if (known !== undefined) return idOf(known, 'id')
    const { frameworks } = this.#state
    const id = `${MASTER_ID}-${String(frameworks.length + 1).padStart(4, '0')}`
    const framework = {
      user: 'root',
      name,
      id: { value: id },
      failover_timeout: 604_800,
      checkpoint: true,
      capabilities: [{ type: 'TASK_KILLING_STATE' }, { type: 'PARTITION_AWARE' }],
    }
    this.#state = { ...this.#state, frameworks: [...frameworks, framework] }
    return id
  }

  #update(
    taskId: string,
    state: TaskState,
    details: Pick<StatusUpdate, 'isHealthy' | 'reason'> = {},
  ): void {
    const { launched } = this.#state.tasks
    if (!launched.some((task) => idOf(task, 'task_id') === taskId)) {
      throw new Error(`no launched task has the id ${taskId}`)
    }
    const timestampSeconds = this.#options.clock.wallMs() / 1000
    const infos = this.#networkInfos(taskId, state)
    const update = { state, timestampSeconds, networkInfos: infos, ...details }
    this.#setTasks({
      launched: launched.map((task) =>
        idOf(task, 'task_id') === taskId ? withStatus(task, update) : task,
      ),
    })
  }

  /** Of a captured task: as its last status has them. */
  #networkInfos(taskId: string, state: TaskState): StatusUpdate['networkInfos'] {
    const spec = this.#specs.get(taskId)
    if (spec !== undefined) return networkInfos(spec, state, this.#state.agentIp)
    const task = this.#state.tasks.launched.find((entry) => idOf(entry, 'task_id') === taskId)
    const last = ((task?.['statuses'] ?? []) as readonly JsonMessage[]).at(-1)
    const status = last?.['container_status'] as JsonMessage | undefined
    return (status?.['network_infos'] ?? []) as StatusUpdate['networkInfos']
  }

  #setTasks(tasks: Partial<AgentState['tasks']>): void {
    this.#state = { ...this.#state, tasks: { ...this.#state.tasks, ...tasks } }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    } catch {
      return
    }
    this.#requestCount++
    const face = {
      state: this.#state,
      isRecovering: this.#isRecovering,
      authorization: this.#options.authorization,
    }
    const { method = '', url = '', headers } = request
    const body = Buffer.concat(chunks).toString()
    const [path = ''] = url.split('?')
    sendAnswer(response, reply({ method, path, headers, body }, face), headers['accept-encoding'])
  }
}
