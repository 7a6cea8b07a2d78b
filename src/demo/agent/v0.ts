/**
 * The v0 `/state` of an agent: flat ids, task and status labels as plain lists, scalar resources
 * as one object and ports as text; `discovery` and `container` as in v1.
 *
 * **Source:** Apache Mesos `src/common/http.cpp` (json of Task, TaskStatus), `src/slave/http.cpp`
 */
import type { Json, JsonMessage } from './json.ts'
import { type AgentState, type CapturedState, idOf } from './state.ts'

/** The v0 state of an agent. */
export function stateV0(state: AgentState): JsonMessage {
  const { launched, queued, completed } = state.tasks
  const tasksOf = (framework: JsonMessage, tasks: readonly JsonMessage[]) =>
    tasks.filter((task) => idOf(task, 'framework_id') === idOf(framework, 'id'))
  return {
    version: '1.11.0',
    id: state.agentId,
    pid: `slave(1)@${state.agentIp}:${state.port}`,
    hostname: state.hostname,
    frameworks: state.frameworks.map((framework) => ({
      id: idOf(framework, 'id'),
      name: framework['name'],
      user: framework['user'],
      executors: [
        ...tasksOf(framework, launched).map((task) => executorV0(task, { tasks: [task] })),
        ...tasksOf(framework, queued).map((task) => executorV0(task, { queued: [task] })),
      ],
      completed_executors: tasksOf(framework, completed).map((task) =>
        executorV0(task, { completed: [task] }),
      ),
    })),
    completed_frameworks: [],
  }
}

/** The state in a v0 capture of an agent; a master's, which holds tasks as well, is understood. */
export function fromStateV0(capture: JsonMessage): CapturedState {
  const frameworks = messages(capture['frameworks'])
  const executors = frameworks.flatMap((framework) => messages(framework['executors']))
  const list = (owners: readonly JsonMessage[], field: string) =>
    owners.flatMap((owner) => messages(owner[field])).map(taskV1)
  const pid = String(capture['pid'] ?? '')
  const isAgent = pid.startsWith('slave')
  const agent = { agentId: String(capture['id']), hostname: String(capture['hostname']) }
  return {
    ...(isAgent
      ? { ...agent, agentIp: pid.slice(pid.indexOf('@') + 1, pid.lastIndexOf(':')) }
      : {}),
    frameworks: frameworks.map(({ id, name, user }) => ({ user, name, id: { value: id } })),
    tasks: {
      queued: list(executors, 'queued_tasks'),
      launched: list([...executors, ...frameworks], 'tasks'),
      terminated: [],
      completed: list([...executors, ...frameworks], 'completed_tasks'),
    },
  }
}

interface ExecutorTasks {
  readonly tasks?: readonly JsonMessage[]
  readonly queued?: readonly JsonMessage[]
  readonly completed?: readonly JsonMessage[]
}

function executorV0(task: JsonMessage, { tasks, queued, completed }: ExecutorTasks): JsonMessage {
  return {
    id: idOf(task, 'task_id'),
    name: `Command Executor (Task: ${idOf(task, 'task_id')})`,
    source: idOf(task, 'task_id'),
    tasks: (tasks ?? []).map(taskV0),
    queued_tasks: (queued ?? []).map(taskV0),
    completed_tasks: (completed ?? []).map(taskV0),
  }
}

function taskV0(task: JsonMessage): JsonMessage {
  return {
    id: idOf(task, 'task_id'),
    name: task['name'],
    framework_id: idOf(task, 'framework_id'),
    executor_id: idOf(task, 'executor_id'),
    slave_id: idOf(task, 'agent_id'),
    state: task['state'],
    resources: resourcesV0(messages(task['resources'])),
    statuses: messages(task['statuses']).map((status) => ({
      state: status['state'],
      timestamp: status['timestamp'],
      labels: plainLabels(status['labels']),
      container_status: plainNetworks(status['container_status']),
      healthy: status['healthy'],
    })),
    labels: plainLabels(task['labels']),
    discovery: task['discovery'],
    container: task['container'],
    health_check: task['health_check'],
  }
}

function taskV1(task: JsonMessage): JsonMessage {
  const taskId = { value: task['id'] }
  const agentId = { value: task['slave_id'] }
  return {
    name: task['name'],
    task_id: taskId,
    framework_id: { value: task['framework_id'] },
    executor_id: task['executor_id'] ? { value: task['executor_id'] } : undefined,
    agent_id: agentId,
    state: task['state'],
    resources: resourcesV1(task['resources']),
    statuses: messages(task['statuses']).map((status) => ({
      task_id: taskId,
      state: status['state'],
      agent_id: agentId,
      timestamp: status['timestamp'],
      healthy: status['healthy'],
      labels: labelsV1(status['labels']),
      container_status: networksV1(status['container_status']),
    })),
    labels: labelsV1(task['labels']),
    discovery: task['discovery'],
    container: task['container'],
    health_check: task['health_check'],
  }
}

function resourcesV0(resources: readonly JsonMessage[]): JsonMessage {
  const scalars: Record<string, Json> = { disk: 0, mem: 0, gpus: 0, cpus: 0 }
  for (const { name, scalar, ranges } of resources) {
    const parts = messages((ranges as JsonMessage | undefined)?.['range'])
    if (scalar !== undefined) scalars[String(name)] = (scalar as JsonMessage)['value']
    else
      scalars[String(name)] =
        `[${parts.map((part) => `${part['begin']}-${part['end']}`).join(', ')}]`
  }
  return scalars
}

function resourcesV1(resources: Json): readonly Json[] {
  return Object.entries((resources ?? {}) as JsonMessage).map(([name, value]) => {
    if (typeof value !== 'string') return { name, type: 'SCALAR', scalar: { value } }
    const range = [...value.matchAll(/(\d+)-(\d+)/g)].map(([, begin, end]) => ({
      begin: Number(begin),
      end: Number(end),
    }))
    return { name, type: 'RANGES', ranges: { range } }
  })
}

function plainNetworks(containerStatus: Json): Json {
  return withNetworkLabels(containerStatus, plainLabels)
}

function networksV1(containerStatus: Json): Json {
  return withNetworkLabels(containerStatus, labelsV1)
}

function withNetworkLabels(containerStatus: Json, convert: (labels: Json) => Json): Json {
  if (containerStatus === undefined || containerStatus === null) return undefined
  const status = containerStatus as JsonMessage
  const networks = messages(status['network_infos'])
  return {
    ...status,
    network_infos: networks.map((network) => ({ ...network, labels: convert(network['labels']) })),
  }
}

function plainLabels(labels: Json): Json {
  const list = (labels as JsonMessage | undefined)?.['labels']
  return list === undefined ? undefined : list
}

function labelsV1(labels: Json): Json {
  return Array.isArray(labels) && labels.length > 0 ? { labels } : undefined
}

function messages(list: Json): readonly JsonMessage[] {
  return Array.isArray(list) ? (list as JsonMessage[]) : []
}
