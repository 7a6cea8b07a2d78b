import type { TaskKey } from '../../model/task.ts'

/** A task as a master tells it. */
export interface MasterTask {
  readonly frameworkId: string
  readonly taskId: string
  readonly agentId: string
  /** E.g. `TASK_RUNNING`; undefined when this version of Mesos says one that we do not know. */
  readonly state: string | undefined
}

const TERMINAL: ReadonlySet<string | undefined> = new Set([
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_LOST',
  'TASK_ERROR',
  'TASK_DROPPED',
  'TASK_GONE',
  'TASK_GONE_BY_OPERATOR',
])

/** Tasks by key, and the keys by agent. */
export class KnownTasks {
  readonly #tasks = new Map<TaskKey, MasterTask>()
  readonly #keysOf = new Map<string, Set<TaskKey>>()

  get all(): ReadonlyMap<TaskKey, MasterTask> {
    return this.#tasks
  }

  /** How many agents have tasks. */
  get agentCount(): number {
    return this.#keysOf.size
  }

  get(key: TaskKey): MasterTask | undefined {
    return this.#tasks.get(key)
  }

  /** The keys of an agent's tasks, as they are now. */
  keysOf(agentId: string): readonly TaskKey[] {
    return [...(this.#keysOf.get(agentId) ?? [])]
  }

  set(key: TaskKey, task: MasterTask): void {
    if (this.#tasks.get(key)?.agentId !== task.agentId) this.delete(key)
    this.#tasks.set(key, task)
    const keys = this.#keysOf.get(task.agentId)
    if (keys === undefined) this.#keysOf.set(task.agentId, new Set([key]))
    else keys.add(key)
  }

  delete(key: TaskKey): void {
    const task = this.#tasks.get(key)
    if (task === undefined) return
    this.#tasks.delete(key)
    const keys = this.#keysOf.get(task.agentId)
    keys?.delete(key)
    if (keys?.size === 0) this.#keysOf.delete(task.agentId)
  }
}

/** Whether a task in this state has ended; unreachable ones have not. */
export function isTerminal(state: string | undefined): boolean {
  return TERMINAL.has(state)
}

/** Whether what is told is known already. */
export function isSameTask(known: MasterTask | undefined, told: MasterTask): boolean {
  return known !== undefined && known.agentId === told.agentId && known.state === told.state
}
