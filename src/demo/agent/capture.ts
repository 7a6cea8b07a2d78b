import type { JsonMessage } from './json.ts'
import { readJson } from './json.ts'
import { type CapturedState, idOf } from './state.ts'
import { fromStateV0 } from './v0.ts'

/**
 * Reads captured state: the v1 JSON answer to GET_STATE or GET_TASKS, or the v0 `/state`.
 * Frameworks that tasks name but the capture does not get the name `frameworkName`.
 *
 * @throws Error for anything else
 */
export function readCapture(text: string, frameworkName: string): CapturedState {
  const capture = readJson(text) as JsonMessage
  const captured = fromCapture(capture)
  const known = new Set(captured.frameworks.map((framework) => idOf(framework, 'id')))
  const missing = captured.tasks.launched
    .map((task) => idOf(task, 'framework_id'))
    .filter((id) => !known.has(id))
  const added = [...new Set(missing)].map((id) => ({
    user: 'root',
    name: frameworkName,
    id: { value: id },
  }))
  return { ...captured, frameworks: [...captured.frameworks, ...added] }
}

function fromCapture(capture: JsonMessage): CapturedState {
  const state = capture['get_state'] as JsonMessage | undefined
  if (state !== undefined) return fromV1(state)
  if (capture['get_tasks'] !== undefined) return fromV1(capture)
  if (Array.isArray(capture['frameworks'])) return fromStateV0(capture)
  throw new Error('neither an answer to GET_STATE or GET_TASKS nor a v0 state')
}

function fromV1(state: JsonMessage): CapturedState {
  const tasks = (state['get_tasks'] ?? {}) as JsonMessage
  const frameworks = (state['get_frameworks'] ?? {}) as JsonMessage
  const list = (owner: JsonMessage, field: string) =>
    Array.isArray(owner[field]) ? (owner[field] as JsonMessage[]) : []
  return {
    frameworks: list(frameworks, 'frameworks').map(
      (entry) => entry['framework_info'] as JsonMessage,
    ),
    tasks: {
      queued: list(tasks, 'queued_tasks'),
      launched: list(tasks, tasks['tasks'] === undefined ? 'launched_tasks' : 'tasks'),
      terminated: list(tasks, 'terminated_tasks'),
      completed: list(tasks, 'completed_tasks'),
    },
  }
}
