/**
 * What a master answers to GET_STATE and puts into SUBSCRIBED, fields in the order of the protobuf.
 *
 * **Source:** Apache Mesos `src/master/readonly_handler.cpp`, `src/master/http.cpp` (_getState)
 */
import type { JsonMessage } from '../agent/json.ts'
import { idOf } from '../agent/state.ts'
import { agentResources } from './agent.ts'
import type { MasterAgent, MasterFramework, MasterState } from './master-state.ts'
import { idMessage, timeMessage } from './messages.ts'
import type { MesosRules } from './rules.ts'

/** The GetState message. */
export function getState(state: MasterState): JsonMessage {
  return {
    get_tasks: getTasks(state),
    get_executors: getExecutors(state),
    get_frameworks: getFrameworks(state),
    get_agents: getAgents(state),
  }
}

/** A GetState message of which the caller may see nothing. */
export const NOTHING_TO_SEE: JsonMessage = {
  get_tasks: {},
  get_executors: {},
  get_frameworks: {},
  get_agents: {},
}

/** The GetTasks message. */
export function getTasks({ frameworks, completedFrameworks, agents }: MasterState): JsonMessage {
  const all = [...frameworks.values(), ...completedFrameworks.values()]
  const live = [...frameworks.values()].flatMap((framework) =>
    [...framework.tasks].flatMap(([key, agentId]) => agents.get(agentId)?.tasks.get(key) ?? []),
  )
  return {
    tasks: live,
    completed_tasks: all.flatMap(({ completed }) => completed),
    unreachable_tasks: all.flatMap(({ unreachable }) => [...unreachable.values()]),
  }
}

/** The GetAgents message: registered ones, and those that have not come back since a fail-over. */
export function getAgents({ agents, recovered, rules }: MasterState): JsonMessage {
  return {
    agents: [...agents.values()].map((agent) => agentMessage(agent, rules)),
    recovered_agents: [...recovered.values()],
  }
}

/** The GetFrameworks message. */
export function getFrameworks({ frameworks, completedFrameworks }: MasterState): JsonMessage {
  return {
    frameworks: [...frameworks.values()].map(frameworkMessage),
    completed_frameworks: [...completedFrameworks.values()].map(frameworkMessage),
  }
}

/** The GetExecutors message: a task has a command executor of its own, a group of tasks shares one. */
export function getExecutors({ agents }: MasterState): JsonMessage {
  return {
    executors: [...agents.values()].flatMap(({ id, tasks }) => {
      const executors = new Map([...tasks.values()].map((task) => [executorKey(task), task]))
      return [...executors.values()].map((task) => ({
        executor_info: executorInfo(task),
        agent_id: idMessage(id),
      }))
    }),
  }
}

function executorKey(task: JsonMessage): string {
  return `${idOf(task, 'framework_id')} ${idOf(task, 'executor_id') || idOf(task, 'task_id')}`
}

function executorInfo(task: JsonMessage): JsonMessage {
  const taskId = idOf(task, 'task_id')
  const { executor_id, framework_id, resources } = task
  if (executor_id !== undefined) return { executor_id, resources, framework_id, type: 'DEFAULT' }
  return {
    executor_id: idMessage(taskId),
    resources,
    command: { value: '/usr/libexec/mesos/mesos-executor', shell: false },
    framework_id,
    name: `Command Executor (Task: ${taskId})`,
    source: taskId,
  }
}

/** A GetAgents.Agent message. */
export function agentMessage(agent: MasterAgent, rules: MesosRules): JsonMessage {
  const { reregisteredAtMs } = agent
  return {
    agent_info: agent.info,
    active: agent.isConnected,
    version: rules.release,
    pid: agent.pid,
    registered_time: timeMessage(agent.registeredAtMs),
    reregistered_time: reregisteredAtMs === undefined ? undefined : timeMessage(reregisteredAtMs),
    total_resources: agentResources(),
    capabilities: [{ type: 'MULTI_ROLE' }, { type: 'HIERARCHICAL_ROLE' }],
  }
}

/** A GetFrameworks.Framework message. */
export function frameworkMessage(framework: MasterFramework): JsonMessage {
  const { registeredAtMs, reregisteredAtMs = registeredAtMs, unregisteredAtMs = 0 } = framework
  return {
    framework_info: framework.info,
    active: framework.isConnected,
    connected: framework.isConnected,
    registered_time: timeMessage(registeredAtMs),
    reregistered_time: timeMessage(reregisteredAtMs),
    unregistered_time: timeMessage(unregisteredAtMs),
    recovered: framework.isRecovered,
  }
}
