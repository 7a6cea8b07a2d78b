/** Keeps the node's own backend records up to date with its tasks, task by task. */
import type { NavstarError } from '../../base/error.ts'
import { Table } from '../../base/table.ts'
import type { BackendRecord, BackendRecordKey } from '../../model/backend-record.ts'
import type { Task, TaskKey } from '../../model/task.ts'
import type { Zone } from '../../model/zone.ts'
import { advertise } from './advertise.ts'

/** What the advertiser is told, and tells. */
export interface AdvertiserOptions {
  /** This node's. */
  readonly zone?: Zone | undefined
  /** A label or endpoint of a task cannot be used; called once while it lasts. */
  onProblem(task: Task, problem: NavstarError): void
}

/** Follows a table of tasks. */
export class Advertiser {
  /** The records of this node; complete when the tasks are. */
  readonly records: Table<BackendRecordKey, BackendRecord> = new Table()
  readonly #byTask = new Map<TaskKey, ReadonlyMap<BackendRecordKey, BackendRecord>>()
  readonly #problems = new Map<TaskKey, readonly NavstarError[]>()
  readonly #options: AdvertiserOptions
  readonly #stop: () => void

  constructor(tasks: Table<TaskKey, Task>, options: AdvertiserOptions) {
    this.#options = options
    this.#stop = tasks.onChange(({ snapshot, keys }) => {
      this.#follow(keys, (key) => snapshot.rows.get(key), snapshot.isComplete)
    })
    const { rows, isComplete } = tasks.snapshot
    this.#follow(rows.keys(), (key) => rows.get(key), isComplete)
  }

  /** What of the present tasks cannot be used. */
  get problems(): readonly NavstarError[] {
    return [...this.#problems.values()].flat()
  }

  /** Stops following. */
  close(): void {
    this.#stop()
  }

  #follow(
    keys: Iterable<TaskKey>,
    taskOf: (key: TaskKey) => Task | undefined,
    isComplete: boolean,
  ): void {
    const changes = new Map<BackendRecordKey, BackendRecord | undefined>()
    for (const key of keys) {
      const task = taskOf(key)
      for (const old of this.#byTask.get(key)?.keys() ?? []) changes.set(old, undefined)
      for (const record of this.#advertise(key, task)) changes.set(record.key, record)
    }
    this.records.update(changes, isComplete)
  }

  #advertise(key: TaskKey, task: Task | undefined): readonly BackendRecord[] {
    if (task === undefined) {
      this.#byTask.delete(key)
      this.#problems.delete(key)
      return []
    }
    const { records, problems } = advertise(task, this.#options.zone)
    const known = new Set(this.#problems.get(key)?.map(({ message }) => message))
    for (const problem of problems) {
      if (!known.has(problem.message)) this.#options.onProblem(task, problem)
    }
    this.#byTask.set(key, new Map(records.map((record) => [record.key, record])))
    if (problems.length > 0) this.#problems.set(key, problems)
    else this.#problems.delete(key)
    return records
  }
}
