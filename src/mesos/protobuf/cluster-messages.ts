/**
 * The messages about frameworks, agents and masters.
 *
 * **Source:** Apache Mesos `include/mesos/v1/mesos.proto`, `include/mesos/v1/master/master.proto`
 */
import {
  boolean,
  enumNames,
  int32,
  type MessageType,
  message,
  nested,
  oneOf,
  repeated,
  text,
  uint32,
} from './schema.ts'
import { ID, LABELS, RESOURCE, TIME } from './task-messages.ts'

const FRAMEWORK_CAPABILITIES = enumNames('', [
  'UNKNOWN',
  'REVOCABLE_RESOURCES',
  'TASK_KILLING_STATE',
  'GPU_RESOURCES',
  'SHARED_RESOURCES',
  'PARTITION_AWARE',
  'MULTI_ROLE',
  'RESERVATION_REFINEMENT',
  'REGION_AWARE',
])

const FRAMEWORK_CAPABILITY = message('FrameworkInfo.Capability', {
  type: oneOf(1, FRAMEWORK_CAPABILITIES),
})

/** `FrameworkInfo`. */
export const FRAMEWORK_INFO: MessageType = message('FrameworkInfo', {
  user: text(1),
  name: text(2),
  id: nested(3, () => ID),
  role: text(6, '*'),
  hostname: text(7),
  principal: text(8),
  webui_url: text(9),
  capabilities: repeated(nested(10, () => FRAMEWORK_CAPABILITY)),
  labels: nested(11, () => LABELS),
  roles: repeated(text(12)),
})

/** `Response.GetFrameworks.Framework`. */
export const FRAMEWORK: MessageType = message('Framework', {
  framework_info: nested(1, () => FRAMEWORK_INFO),
  active: boolean(2),
  connected: boolean(3),
  registered_time: nested(4, () => TIME),
  reregistered_time: nested(5, () => TIME),
  unregistered_time: nested(6, () => TIME),
  recovered: boolean(11),
})

/** `AgentInfo`. */
export const AGENT_INFO: MessageType = message('AgentInfo', {
  hostname: text(1),
  resources: repeated(nested(3, () => RESOURCE)),
  id: nested(6, () => ID),
  port: int32(8, 5051),
})

/** `Response.GetAgents.Agent`. */
export const AGENT: MessageType = message('Agent', {
  agent_info: nested(1, () => AGENT_INFO),
  active: boolean(2),
  version: text(3),
  pid: text(4),
  registered_time: nested(5, () => TIME),
  reregistered_time: nested(6, () => TIME),
  deactivated: boolean(12),
})

const ADDRESS = message('Address', { hostname: text(1), ip: text(2), port: int32(3) })

/** `MasterInfo`, also what a master writes into ZooKeeper. */
export const MASTER_INFO: MessageType = message('MasterInfo', {
  id: text(1),
  ip: uint32(2),
  port: uint32(3, 5050),
  pid: text(4),
  hostname: text(5),
  version: text(6),
  address: nested(7, () => ADDRESS),
})
