/**
 * The events of the operator API as Mesos' messages, fields in the order of the protobuf.
 *
 * **Source:** Apache Mesos `include/mesos/v1/master/master.proto`, `src/common/protobuf_utils.cpp`
 * (`master::event`)
 */
import type { Json, JsonMessage } from '../agent/json.ts'
import type { TaskState } from '../agent/task.ts'

/** A state of a task; those that only a master gives included. */
export type AnyTaskState = TaskState | 'TASK_GONE_BY_OPERATOR'

/** States after which nothing comes. **Source:** Mesos `protobuf_utils.cpp` (isTerminalState) */
const TERMINAL: ReadonlySet<string> = new Set([
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_LOST',
  'TASK_ERROR',
  'TASK_DROPPED',
  'TASK_GONE',
  'TASK_GONE_BY_OPERATOR',
])

/** Whether a task in this state has ended. */
export function isTerminalState(state: Json): boolean {
  return typeof state === 'string' && TERMINAL.has(state)
}

/** An id message. */
export function idMessage(value: string): JsonMessage {
  return { value }
}

/** A TimeInfo message; beyond 2^53, therefore a bigint. */
export function timeMessage(wallMs: number): JsonMessage {
  return { nanoseconds: BigInt(Math.round(wallMs * 1000)) * 1000n }
}

/** HEARTBEAT. */
export const HEARTBEAT: JsonMessage = { type: 'HEARTBEAT' }

/** SUBSCRIBED; Mesos before 1.5 tells no interval. */
export function subscribed(getState: JsonMessage, heartbeatSeconds?: number): JsonMessage {
  return {
    type: 'SUBSCRIBED',
    subscribed: { get_state: getState, heartbeat_interval_seconds: heartbeatSeconds },
  }
}

/** TASK_ADDED. */
export function taskAdded(task: JsonMessage): JsonMessage {
  return { type: 'TASK_ADDED', task_added: { task } }
}

/** TASK_UPDATED: the newest state of the task and the status that came. */
export function taskUpdated(task: JsonMessage, status: JsonMessage): JsonMessage {
  return {
    type: 'TASK_UPDATED',
    task_updated: { framework_id: task['framework_id'], status, state: task['state'] },
  }
}

/** AGENT_ADDED. */
export function agentAdded(agent: JsonMessage): JsonMessage {
  return { type: 'AGENT_ADDED', agent_added: { agent } }
}

/** AGENT_REMOVED. */
export function agentRemoved(agentId: string): JsonMessage {
  return { type: 'AGENT_REMOVED', agent_removed: { agent_id: idMessage(agentId) } }
}

/** FRAMEWORK_ADDED. */
export function frameworkAdded(framework: JsonMessage): JsonMessage {
  return { type: 'FRAMEWORK_ADDED', framework_added: { framework } }
}

/** FRAMEWORK_UPDATED. */
export function frameworkUpdated(framework: JsonMessage): JsonMessage {
  return { type: 'FRAMEWORK_UPDATED', framework_updated: { framework } }
}

/** FRAMEWORK_REMOVED. */
export function frameworkRemoved(frameworkInfo: JsonMessage): JsonMessage {
  return { type: 'FRAMEWORK_REMOVED', framework_removed: { framework_info: frameworkInfo } }
}
