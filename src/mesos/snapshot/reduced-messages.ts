/**
 * The few fields of a master's state that a snapshot keeps. The same description serves JSON,
 * by the fields' names.
 *
 * **Source:** Apache Mesos `include/mesos/v1/master/master.proto`
 */
import {
  double,
  int32,
  type MessageType,
  message,
  nested,
  oneOf,
  repeated,
  text,
} from '../protobuf/schema.ts'
import { ID, TASK_STATES } from '../protobuf/task-messages.ts'

const TASK = message('Task', {
  task_id: nested(2, () => ID),
  framework_id: nested(3, () => ID),
  agent_id: nested(5, () => ID),
  state: oneOf(6, TASK_STATES),
})

const TASKS = message('GetTasks', {
  tasks: repeated(nested(2, () => TASK)),
  unreachable_tasks: repeated(nested(5, () => TASK)),
})

const FRAMEWORK_INFO = message('FrameworkInfo', { name: text(2), id: nested(3, () => ID) })
const FRAMEWORK = message('Framework', { framework_info: nested(1, () => FRAMEWORK_INFO) })
const FRAMEWORKS = message('GetFrameworks', { frameworks: repeated(nested(1, () => FRAMEWORK)) })

const AGENT_INFO = message('AgentInfo', {
  hostname: text(1),
  id: nested(6, () => ID),
  port: int32(8, 5051),
})
const AGENT = message('Agent', { agent_info: nested(1, () => AGENT_INFO), pid: text(4) })
const AGENTS = message('GetAgents', {
  agents: repeated(nested(1, () => AGENT)),
  recovered_agents: repeated(nested(2, () => AGENT_INFO)),
})

const STATE = message('GetState', {
  get_tasks: nested(1, () => TASKS),
  get_frameworks: nested(3, () => FRAMEWORKS),
  get_agents: nested(4, () => AGENTS),
})

const SUBSCRIBED = message('Event.Subscribed', {
  get_state: nested(1, () => STATE),
  heartbeat_interval_seconds: double(2),
})

/** The event SUBSCRIBED. */
export const REDUCED_EVENT: MessageType = message('master.Event', {
  subscribed: nested(2, () => SUBSCRIBED),
})

/** A master's answer to GET_STATE. */
export const REDUCED_RESPONSE: MessageType = message('master.Response', {
  get_state: nested(9, () => STATE),
})
