import { createHash } from 'node:crypto'
import type { Json, JsonMessage } from './json.ts'
import type { TaskState } from './task.ts'

/** States after which nothing comes. **Source:** Mesos `protobuf_utils.cpp` (isTerminalState) */
const TERMINAL: ReadonlySet<string> = new Set([
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_LOST',
  'TASK_ERROR',
  'TASK_DROPPED',
  'TASK_GONE',
])

/** A status update from a task's executor. */
export interface StatusUpdate {
  readonly state: TaskState
  readonly timestampSeconds: number
  readonly networkInfos: readonly Json[]
  readonly isHealthy?: boolean
  readonly reason?: string
}

/** Whether a task in this state has ended. */
export function isTerminal(state: Json): boolean {
  return typeof state === 'string' && TERMINAL.has(state)
}

/**
 * The task after a status update. Of a run of updates with one state the agent keeps the newest.
 *
 * **Source:** Mesos `src/slave/slave.cpp` (Executor::updateTaskState)
 */
export function withStatus(task: JsonMessage, update: StatusUpdate): JsonMessage {
  const statuses = Array.isArray(task['statuses']) ? (task['statuses'] as JsonMessage[]) : []
  const isRepeat = statuses.at(-1)?.['state'] === update.state
  const id = (task['task_id'] as JsonMessage | undefined)?.['value']
  // Deterministic, so that equal histories give equal bytes.
  const digest = createHash('md5').update(`${id} ${update.state} ${update.timestampSeconds}`)
  const uuid = digest.digest('base64')
  const status = {
    task_id: task['task_id'],
    state: update.state,
    agent_id: task['agent_id'],
    timestamp: update.timestampSeconds,
    executor_id: { value: id },
    healthy: update.isHealthy,
    source: 'SOURCE_EXECUTOR',
    reason: update.reason,
    uuid,
    container_status: {
      container_id: { value: `container-${id}` },
      network_infos: update.networkInfos,
      executor_pid: 4711,
    },
  }
  const { labels, discovery, container, health_check, ...head } = task
  return {
    ...head,
    state: update.state,
    statuses: [...(isRepeat ? statuses.slice(0, -1) : statuses), status],
    status_update_state: update.state,
    status_update_uuid: uuid,
    labels,
    discovery,
    container,
    health_check,
  }
}
