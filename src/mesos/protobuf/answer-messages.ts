/**
 * The answers of agents and masters, and the events of a master's stream.
 *
 * **Source:** Apache Mesos `include/mesos/v1/agent/agent.proto`, `include/mesos/v1/master/master.proto`
 */
import { AGENT, AGENT_INFO, FRAMEWORK, FRAMEWORK_INFO, MASTER_INFO } from './cluster-messages.ts'
import {
  double,
  enumNames,
  type MessageType,
  message,
  nested,
  oneOf,
  repeated,
  text,
} from './schema.ts'
import {
  CONTAINER_ID,
  CONTAINER_STATUS,
  ID,
  TASK,
  TASK_STATES,
  TASK_STATUS,
} from './task-messages.ts'

const EVENT_TYPES = enumNames('', [
  'UNKNOWN',
  'SUBSCRIBED',
  'TASK_ADDED',
  'TASK_UPDATED',
  'AGENT_ADDED',
  'AGENT_REMOVED',
  'FRAMEWORK_ADDED',
  'FRAMEWORK_UPDATED',
  'FRAMEWORK_REMOVED',
  'HEARTBEAT',
])

const MASTER_ANSWERS: ReadonlyMap<number, string> = new Map([
  [8, 'GET_STATE'],
  [9, 'GET_AGENTS'],
  [10, 'GET_FRAMEWORKS'],
  [12, 'GET_TASKS'],
  [15, 'GET_MASTER'],
])

const AGENT_ANSWERS: ReadonlyMap<number, string> = new Map([
  [8, 'GET_STATE'],
  [9, 'GET_CONTAINERS'],
  [10, 'GET_FRAMEWORKS'],
  [12, 'GET_TASKS'],
  [14, 'GET_AGENT'],
])

const tasks = (number: number) => repeated(nested(number, () => TASK))

const MASTER_TASKS = message('GetTasks', {
  pending_tasks: tasks(1),
  tasks: tasks(2),
  completed_tasks: tasks(3),
  orphan_tasks: tasks(4),
  unreachable_tasks: tasks(5),
})

const AGENT_TASKS = message('GetTasks', {
  pending_tasks: tasks(1),
  queued_tasks: tasks(2),
  launched_tasks: tasks(3),
  terminated_tasks: tasks(4),
  completed_tasks: tasks(5),
})

const FRAMEWORKS = message('GetFrameworks', {
  frameworks: repeated(nested(1, () => FRAMEWORK)),
  completed_frameworks: repeated(nested(2, () => FRAMEWORK)),
})

/** Of a framework an agent knows no more than who it is. */
const AGENT_FRAMEWORK = message('GetFrameworks.Framework', {
  framework_info: nested(1, () => FRAMEWORK_INFO),
})

const AGENT_FRAMEWORKS = message('GetFrameworks', {
  frameworks: repeated(nested(1, () => AGENT_FRAMEWORK)),
  completed_frameworks: repeated(nested(2, () => AGENT_FRAMEWORK)),
})

const AGENTS = message('GetAgents', {
  agents: repeated(nested(1, () => AGENT)),
  recovered_agents: repeated(nested(2, () => AGENT_INFO)),
})

const MASTER_STATE = message('GetState', {
  get_tasks: nested(1, () => MASTER_TASKS),
  get_frameworks: nested(3, () => FRAMEWORKS),
  get_agents: nested(4, () => AGENTS),
})

const AGENT_STATE = message('GetState', {
  get_tasks: nested(1, () => AGENT_TASKS),
  get_frameworks: nested(3, () => AGENT_FRAMEWORKS),
})

const CONTAINER = message('GetContainers.Container', {
  framework_id: nested(1, () => ID),
  executor_id: nested(2, () => ID),
  executor_name: text(3),
  container_id: nested(4, () => CONTAINER_ID),
  container_status: nested(5, () => CONTAINER_STATUS),
})

const CONTAINERS = message('GetContainers', { containers: repeated(nested(1, () => CONTAINER)) })
const AGENT_SELF = message('GetAgent', { agent_info: nested(1, () => AGENT_INFO) })
const MASTER_SELF = message('GetMaster', { master_info: nested(1, () => MASTER_INFO) })

/** The answer of an agent (`agent::Response`). */
export const AGENT_RESPONSE: MessageType = message('agent.Response', {
  type: oneOf(1, AGENT_ANSWERS),
  get_state: nested(9, () => AGENT_STATE),
  get_containers: nested(10, () => CONTAINERS),
  get_frameworks: nested(11, () => AGENT_FRAMEWORKS),
  get_tasks: nested(13, () => AGENT_TASKS),
  get_agent: nested(15, () => AGENT_SELF),
})

/** The answer of a master (`master::Response`). */
export const MASTER_RESPONSE: MessageType = message('master.Response', {
  type: oneOf(1, MASTER_ANSWERS),
  get_state: nested(9, () => MASTER_STATE),
  get_agents: nested(10, () => AGENTS),
  get_frameworks: nested(11, () => FRAMEWORKS),
  get_tasks: nested(13, () => MASTER_TASKS),
  get_master: nested(16, () => MASTER_SELF),
})

const SUBSCRIBED = message('Event.Subscribed', {
  get_state: nested(1, () => MASTER_STATE),
  heartbeat_interval_seconds: double(2),
})

const TASK_UPDATED = message('Event.TaskUpdated', {
  framework_id: nested(1, () => ID),
  status: nested(2, () => TASK_STATUS),
  state: oneOf(3, TASK_STATES),
})

const TASK_ADDED = message('Event.TaskAdded', { task: nested(1, () => TASK) })
const AGENT_ADDED = message('Event.AgentAdded', { agent: nested(1, () => AGENT) })
const AGENT_REMOVED = message('Event.AgentRemoved', { agent_id: nested(1, () => ID) })
const FRAMEWORK_NEWS = message('Event.FrameworkAdded', { framework: nested(1, () => FRAMEWORK) })
const FRAMEWORK_REMOVED = message('Event.FrameworkRemoved', {
  framework_info: nested(1, () => FRAMEWORK_INFO),
})

/** An event of the operator stream (`master::Event`). */
export const EVENT: MessageType = message('master.Event', {
  type: oneOf(1, EVENT_TYPES),
  subscribed: nested(2, () => SUBSCRIBED),
  task_added: nested(3, () => TASK_ADDED),
  task_updated: nested(4, () => TASK_UPDATED),
  agent_added: nested(5, () => AGENT_ADDED),
  agent_removed: nested(6, () => AGENT_REMOVED),
  framework_added: nested(7, () => FRAMEWORK_NEWS),
  framework_updated: nested(8, () => FRAMEWORK_NEWS),
  framework_removed: nested(9, () => FRAMEWORK_REMOVED),
})
