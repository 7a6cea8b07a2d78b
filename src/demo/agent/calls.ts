import type { Json, JsonMessage } from './json.ts'
import { type AgentState, idOf } from './state.ts'

type Answerer = (state: AgentState) => JsonMessage

/** The answer to each call, without `type`, in the order of the protobuf. */
const ANSWERS: Readonly<Record<string, Answerer>> = {
  GET_HEALTH: () => ({ get_health: { healthy: true } }),
  GET_VERSION: () => ({ get_version: { version_info: { version: '1.11.0' } } }),
  GET_STATE: (state) => ({
    get_state: {
      get_tasks: tasksMessage(state),
      get_executors: executorsMessage(state),
      get_frameworks: frameworksMessage(state),
    },
  }),
  GET_CONTAINERS: (state) => ({ get_containers: { containers: containers(state) } }),
  GET_FRAMEWORKS: (state) => ({ get_frameworks: frameworksMessage(state) }),
  GET_EXECUTORS: (state) => ({ get_executors: executorsMessage(state) }),
  GET_TASKS: (state) => ({ get_tasks: tasksMessage(state) }),
  GET_AGENT: (state) => ({
    get_agent: {
      agent_info: {
        hostname: state.hostname,
        // None before the first registration.
        id: state.agentId === '' ? undefined : { value: state.agentId },
        port: state.port,
      },
    },
  }),
}

/** The JSON answer to a call; undefined for calls that are not simulated. */
export function answerCall(type: string, state: AgentState): JsonMessage | undefined {
  const answer = Object.hasOwn(ANSWERS, type) ? ANSWERS[type] : undefined
  return answer === undefined ? undefined : { type, ...answer(state) }
}

function tasksMessage({ tasks }: AgentState): JsonMessage {
  return {
    queued_tasks: tasks.queued,
    launched_tasks: tasks.launched,
    terminated_tasks: tasks.terminated,
    completed_tasks: tasks.completed,
  }
}

function frameworksMessage({ frameworks }: AgentState): JsonMessage {
  return { frameworks: frameworks.map((framework) => ({ framework_info: framework })) }
}

/** Each task has a command executor of its own. */
function executorsMessage({ tasks }: AgentState): JsonMessage {
  return {
    executors: tasks.launched.map((task) => ({
      executor_info: {
        executor_id: { value: executorId(task) },
        framework_id: task['framework_id'],
        command: { shell: false, value: '/usr/libexec/mesos/mesos-executor' },
        container: task['container'],
        resources: task['resources'],
        name: `Command Executor (Task: ${idOf(task, 'task_id')})`,
        source: idOf(task, 'task_id'),
        discovery: task['discovery'],
        labels: task['labels'],
      },
    })),
  }
}

function containers({ tasks }: AgentState): readonly Json[] {
  return tasks.launched.flatMap((task) => {
    const statuses = (task['statuses'] ?? []) as readonly JsonMessage[]
    const status = statuses.at(-1)?.['container_status'] as JsonMessage | undefined
    if (status === undefined) return []
    return [
      {
        framework_id: task['framework_id'],
        executor_id: { value: executorId(task) },
        executor_name: `Command Executor (Task: ${idOf(task, 'task_id')})`,
        container_id: status['container_id'],
        container_status: status,
      },
    ]
  })
}

function executorId(task: JsonMessage): string {
  return idOf(task, 'executor_id') || idOf(task, 'task_id')
}
