import { NavstarError } from '../../base/error.ts'
import type { Ip } from '../../model/ip.ts'
import type { Task, TaskKey } from '../../model/task.ts'
import {
  FieldError,
  isObject,
  type JsonObject,
  listAt,
  objectAt,
  toObject,
  valueAt,
} from './json-fields.ts'
import type { Skipped } from './skipped.ts'
import { frameworkNames, readTask } from './task.ts'

/** What an agent says about its tasks. */
export interface AgentState {
  readonly tasks: ReadonlyMap<TaskKey, Task>
  readonly skipped: readonly Skipped[]
  /** Mesos' id of the agent, which its tasks name; undefined without any. */
  readonly agentId: string | undefined
}

/**
 * Reads the JSON answer to GET_STATE of an agent. Tasks that wait, have ended or are completed
 * are not read.
 *
 * **Source:** Apache Mesos `include/mesos/v1/agent/agent.proto` (Response.GetState)
 *
 * @throws NavstarError MESOS_RESPONSE_INVALID when it is no such answer
 */
export function readState(text: string, agentIp: Ip): AgentState {
  const state = bodyOf(text, 'GET_STATE', 'get_state')
  const skipped: Skipped[] = []
  const onSkipped = (part: Skipped) => skipped.push(part)
  try {
    const frameworks = frameworkNames(state, onSkipped)
    const tasks = new Map<TaskKey, Task>()
    for (const entry of taskEntries(state)) {
      const task = readTask(entry, { agentIp, frameworks, onSkipped })
      if (task !== undefined && !isAfterthought(task, tasks)) tasks.set(task.key, task)
    }
    return { tasks, skipped, agentId: agentIdOf(state) }
  } catch (error) {
    if (error instanceof FieldError) throw invalid('GET_STATE', error)
    throw error
  }
}

/**
 * The message inside a JSON answer of the operator API.
 *
 * @throws NavstarError MESOS_RESPONSE_INVALID for no JSON or another answer
 */
export function bodyOf(text: string, type: string, field: string): JsonObject {
  try {
    const answer = toObject(JSON.parse(text), 'the answer')
    if (answer['type'] !== type) throw new FieldError('type', type)
    const body = objectAt(answer, [field])
    if (body === undefined) throw new FieldError(field, 'set')
    return body
  } catch (error) {
    throw invalid(type, error)
  }
}

/** `tasks` is how a master would say it; an agent says `launched_tasks`. */
function taskEntries(state: JsonObject): readonly unknown[] {
  // Without the message we know nothing; only with it does an absent list mean "no tasks".
  if (objectAt(state, ['get_tasks']) === undefined) throw new FieldError('get_tasks', 'set')
  const isMasterLike = valueAt(state, ['get_tasks', 'tasks']) !== undefined
  return listAt(state, ['get_tasks', isMasterLike ? 'tasks' : 'launched_tasks'])
}

/** What Mesos calls the agent: all its tasks say the same. */
function agentIdOf(state: JsonObject): string | undefined {
  const [first] = taskEntries(state)
  const id = isObject(first) ? valueAt(first, ['agent_id', 'value']) : undefined
  return typeof id === 'string' ? id : undefined
}

/** Agents have been seen to list a dead task beside its running successor of the same id. */
function isAfterthought(task: Task, tasks: ReadonlyMap<TaskKey, Task>): boolean {
  const known = tasks.get(task.key)
  return known !== undefined && known.phase !== 'other' && task.phase === 'other'
}

function invalid(type: string, cause: unknown): NavstarError {
  return new NavstarError('MESOS_RESPONSE_INVALID', {
    attempt: `read the answer to ${type}`,
    cause,
  })
}
