/**
 * The messages that make up a task: of each, what the readers of `src/mesos` use.
 *
 * **Source:** Apache Mesos `include/mesos/v1/mesos.proto`
 */
import {
  boolean,
  double,
  enumNames,
  int64,
  type MessageType,
  message,
  nested,
  oneOf,
  repeated,
  text,
  uint32,
  uint64,
} from './schema.ts'

/** States of a task; TASK_STARTING is 0. */
export const TASK_STATES: ReadonlyMap<number, string> = enumNames('TASK_', [
  'STARTING',
  'RUNNING',
  'FINISHED',
  'FAILED',
  'KILLED',
  'LOST',
  'STAGING',
  'ERROR',
  'KILLING',
  'DROPPED',
  'UNREACHABLE',
  'GONE',
  'GONE_BY_OPERATOR',
  'UNKNOWN',
])

const STATUS_SOURCES = enumNames('SOURCE_', ['MASTER', 'AGENT', 'EXECUTOR'])
/** The one that is read; the others count as unset. */
const STATUS_REASONS: ReadonlyMap<number, string> = new Map([
  [31, 'REASON_AGENT_REMOVED_BY_OPERATOR'],
])
const CONTAINER_TYPES = enumNames('', [undefined, 'DOCKER', 'MESOS'])
const DOCKER_NETWORKS = enumNames('', [undefined, 'HOST', 'BRIDGE', 'NONE', 'USER'])
const ADDRESS_PROTOCOLS = enumNames('', [undefined, 'IPv4', 'IPv6'])
const VISIBILITIES = enumNames('', ['FRAMEWORK', 'CLUSTER', 'EXTERNAL'])
const RESOURCE_TYPES = enumNames('', ['SCALAR', 'RANGES', 'SET'])
const CHECK_TYPES = enumNames('', ['UNKNOWN', 'COMMAND', 'HTTP', 'TCP'])

/** FrameworkID, TaskID, AgentID, ExecutorID: all alike. */
export const ID: MessageType = message('ID', { value: text(1) })

/** `Labels`. */
export const LABELS: MessageType = message('Labels', {
  labels: repeated(nested(1, () => LABEL)),
})

const LABEL = message('Label', { key: text(1), value: text(2) })

/** `TimeInfo`. */
export const TIME: MessageType = message('TimeInfo', { nanoseconds: int64(1) })

/** `Resource`. */
export const RESOURCE: MessageType = message('Resource', {
  name: text(1),
  type: oneOf(2, RESOURCE_TYPES),
  scalar: nested(3, () => SCALAR),
  ranges: nested(4, () => RANGES),
  role: text(6, '*'),
  allocation_info: nested(11, () => ALLOCATION),
})

const SCALAR = message('Value.Scalar', { value: double(1) })
const RANGE = message('Value.Range', { begin: uint64(1), end: uint64(2) })
const RANGES = message('Value.Ranges', { range: repeated(nested(1, () => RANGE)) })
const ALLOCATION = message('Resource.AllocationInfo', { role: text(1) })

const IP_ADDRESS = message('NetworkInfo.IPAddress', {
  protocol: oneOf(1, ADDRESS_PROTOCOLS, 'IPv4'),
  ip_address: text(2),
})

/** `NetworkInfo.PortMapping` and `ContainerInfo.DockerInfo.PortMapping`: both alike. */
const PORT_MAPPING = message('PortMapping', {
  host_port: uint32(1),
  container_port: uint32(2),
  protocol: text(3),
})

const NETWORK = message('NetworkInfo', {
  groups: repeated(text(3)),
  labels: nested(4, () => LABELS),
  ip_addresses: repeated(nested(5, () => IP_ADDRESS)),
  name: text(6),
  port_mappings: repeated(nested(7, () => PORT_MAPPING)),
})

const DOCKER = message('ContainerInfo.DockerInfo', {
  image: text(1),
  network: oneOf(2, DOCKER_NETWORKS, 'HOST'),
  port_mappings: repeated(nested(3, () => PORT_MAPPING)),
})

const CONTAINER = message('ContainerInfo', {
  type: oneOf(1, CONTAINER_TYPES),
  docker: nested(3, () => DOCKER),
  hostname: text(4),
  network_infos: repeated(nested(7, () => NETWORK)),
})

/** `ContainerID`: a nested container names its parent, and that its own. */
export const CONTAINER_ID: MessageType = message('ContainerID', {
  value: text(1),
  parent: nested(2, () => CONTAINER_ID),
})

/** `ContainerStatus`. */
export const CONTAINER_STATUS: MessageType = message('ContainerStatus', {
  network_infos: repeated(nested(1, () => NETWORK)),
  executor_pid: uint32(3),
  container_id: nested(4, () => CONTAINER_ID),
})

/** `TaskStatus`. */
export const TASK_STATUS: MessageType = message('TaskStatus', {
  task_id: nested(1, () => ID),
  state: oneOf(2, TASK_STATES),
  message: text(4),
  agent_id: nested(5, () => ID),
  timestamp: double(6),
  executor_id: nested(7, () => ID),
  healthy: boolean(8),
  source: oneOf(9, STATUS_SOURCES),
  reason: oneOf(10, STATUS_REASONS),
  labels: nested(12, () => LABELS),
  container_status: nested(13, () => CONTAINER_STATUS),
  unreachable_time: nested(14, () => TIME),
})

const PORT = message('Port', {
  number: uint32(1),
  name: text(2),
  protocol: text(3),
  visibility: oneOf(4, VISIBILITIES),
  labels: nested(5, () => LABELS),
})

const PORTS = message('Ports', { ports: repeated(nested(1, () => PORT)) })

const DISCOVERY = message('DiscoveryInfo', {
  visibility: oneOf(1, VISIBILITIES),
  name: text(2),
  environment: text(3),
  location: text(4),
  version: text(5),
  ports: nested(6, () => PORTS),
  labels: nested(7, () => LABELS),
})

const HEALTH_CHECK = message('HealthCheck', {
  delay_seconds: double(2, 15),
  interval_seconds: double(3, 10),
  timeout_seconds: double(4, 20),
  consecutive_failures: uint32(5, 3),
  grace_period_seconds: double(6, 10),
  type: oneOf(8, CHECK_TYPES),
})

const KILL_POLICY = message('KillPolicy', { grace_period: nested(1, () => TIME) })

/** `Task`. */
export const TASK: MessageType = message('Task', {
  name: text(1),
  task_id: nested(2, () => ID),
  framework_id: nested(3, () => ID),
  executor_id: nested(4, () => ID),
  agent_id: nested(5, () => ID),
  state: oneOf(6, TASK_STATES),
  resources: repeated(nested(7, () => RESOURCE)),
  statuses: repeated(nested(8, () => TASK_STATUS)),
  status_update_state: oneOf(9, TASK_STATES),
  labels: nested(11, () => LABELS),
  discovery: nested(12, () => DISCOVERY),
  container: nested(13, () => CONTAINER),
  user: text(14),
  health_check: nested(15, () => HEALTH_CHECK),
  kill_policy: nested(16, () => KILL_POLICY),
})
