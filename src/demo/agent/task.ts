import type { Json, JsonMessage } from './json.ts'

/** A state of a task, e.g. `TASK_RUNNING`. **Source:** Mesos `mesos.proto` (TaskState) */
export type TaskState =
  | 'TASK_STAGING'
  | 'TASK_STARTING'
  | 'TASK_RUNNING'
  | 'TASK_KILLING'
  | 'TASK_FINISHED'
  | 'TASK_FAILED'
  | 'TASK_KILLED'
  | 'TASK_LOST'
  | 'TASK_ERROR'
  | 'TASK_DROPPED'
  | 'TASK_UNREACHABLE'
  | 'TASK_GONE'

/** A port of a simulated task. */
export interface SimulatedPort {
  /** Where the process listens. */
  readonly port: number
  /** Where the agent maps it; for bridge and container networks. */
  readonly hostPort?: number
  readonly protocol?: 'tcp' | 'udp'
  readonly name?: string
  /** Values of the labels `VIP_0`, `VIP_1`, …, e.g. `/web:80`. */
  readonly vips?: readonly string[]
  /** Further labels of the discovery port. */
  readonly labels?: Readonly<Record<string, string>>
  /** Label messages that stand behind these as they are, however odd. */
  readonly oddLabels?: readonly Json[]
}

/** A task to simulate; everything but the name has a sensible default. */
export interface SimulatedTask {
  readonly name: string
  /** Default: the name and a serial number. */
  readonly id?: string
  /** Id of the executor that its task group shares: all of them are in one container's networks. */
  readonly pod?: string
  /** Name of the framework; default: the agent's. */
  readonly framework?: string
  /** `host` (default): the agent's network; `bridge`, `container`: its own. */
  readonly network?: 'host' | 'bridge' | 'container'
  readonly runtime?: 'mesos' | 'docker'
  /** The container's addresses; default for `host`: the agent's; else none. */
  readonly addresses?: readonly string[]
  readonly ports?: readonly SimulatedPort[]
  /** Labels of the task itself. */
  readonly labels?: Readonly<Record<string, string>>
  readonly hasHealthCheck?: boolean
  /** Result of the health check; undefined: none yet. */
  readonly isHealthy?: boolean
  /** Default: `TASK_RUNNING`. */
  readonly state?: TaskState
}

/** Who a task belongs to. */
export interface TaskPlace {
  readonly taskId: string
  readonly frameworkId: string
  readonly agentId: string
  readonly agentIp: string
}

/** The v1 Task message of a task that was just launched: TASK_STAGING, no statuses. */
export function launchedTask(task: SimulatedTask, place: TaskPlace): JsonMessage {
  const ports = task.ports ?? []
  return {
    name: task.name,
    task_id: { value: place.taskId },
    framework_id: { value: place.frameworkId },
    executor_id: task.pod === undefined ? undefined : { value: task.pod },
    agent_id: { value: place.agentId },
    state: 'TASK_STAGING',
    resources: resourcesOf(task),
    statuses: [],
    labels: labelsMessage(Object.entries(task.labels ?? {})),
    discovery: {
      visibility: 'FRAMEWORK',
      name: task.name,
      ports: { ports: ports.map((port) => discoveryPort(task, port)) },
    },
    container: containerOf(task),
    health_check:
      task.hasHealthCheck === true
        ? { command: { shell: true, value: 'true' }, type: 'COMMAND' }
        : undefined,
  }
}

/** What the executor of a task reports of its container's networks in this state. */
export function networkInfos(
  task: SimulatedTask,
  state: TaskState,
  agentIp: string,
): readonly Json[] {
  const isHost = isHostNetwork(task)
  // The Docker executor knows the container's address only once it runs; until then the agent
  // fills in its own.
  const isTooEarly = task.runtime === 'docker' && state === 'TASK_STARTING'
  if (isTooEarly) return [{ ip_addresses: [addressMessage(agentIp)] }]
  // Until its executor knows them a nested container has no networks at all.
  if (task.pod !== undefined && state === 'TASK_STARTING') return []
  const addresses = task.addresses ?? (isHost ? [agentIp] : [])
  if (isHost) return [{ ip_addresses: addresses.map(addressMessage) }]
  const isDocker = task.runtime === 'docker'
  return [
    {
      ip_addresses: addresses.map(addressMessage),
      name: networkName(task),
      port_mappings: isDocker ? [] : mappingsOf(task),
    },
  ]
}

/** A Labels message, undefined without labels. */
function labelsMessage(
  labels: readonly (readonly [string, string])[],
  odd: readonly Json[] = [],
): Json {
  if (labels.length + odd.length === 0) return undefined
  return { labels: [...labels.map(([key, value]) => ({ key, value })), ...odd] }
}

/** `slave(1)`-style scalars and the ports that Mesos allocated to the task. */
function resourcesOf(task: SimulatedTask): readonly Json[] {
  const allocation_info = { role: 'slave_public' }
  const scalar = (name: string, value: number): Json => ({
    name,
    type: 'SCALAR',
    scalar: { value },
    allocation_info,
  })
  const allocated = (task.ports ?? []).flatMap((port) => {
    const number = isHostNetwork(task) ? port.port : port.hostPort
    return number === undefined ? [] : [number]
  })
  const range = [...new Set(allocated)].map((port) => ({ begin: port, end: port }))
  const ports = { name: 'ports', type: 'RANGES', ranges: { range }, allocation_info }
  return [scalar('cpus', 0.1), scalar('mem', 128), ...(range.length === 0 ? [] : [ports])]
}

/** As Marathon fills it in. */
function discoveryPort(task: SimulatedTask, port: SimulatedPort): Json {
  const isMapped = !isHostNetwork(task) && port.hostPort !== undefined
  const vips = (port.vips ?? []).map((vip, index) => [`VIP_${index}`, vip] as const)
  const labels = [...vips, ...Object.entries(port.labels ?? {}), ...scopeLabels(task, isMapped)]
  return {
    number: isMapped ? port.hostPort : port.port,
    name: port.name,
    protocol: port.protocol ?? 'tcp',
    labels: labelsMessage(labels, port.oddLabels),
  }
}

function scopeLabels(
  task: SimulatedTask,
  isMapped: boolean,
): readonly (readonly [string, string])[] {
  if (isHostNetwork(task)) return []
  if (isMapped) return [['network-scope', 'host']]
  return [
    ['network-scope', 'container'],
    ['network-name', networkName(task)],
  ]
}

function containerOf(task: SimulatedTask): Json {
  // A nested container has no networks of its own.
  if (task.pod !== undefined) return { type: 'MESOS', mesos: {} }
  const isHost = isHostNetwork(task)
  const isBridge = task.network === 'bridge'
  if (task.runtime !== 'docker') {
    const network = { ip_addresses: [{}], name: networkName(task), port_mappings: mappingsOf(task) }
    return { type: 'MESOS', mesos: {}, network_infos: isHost ? [] : [network] }
  }
  const docker = {
    image: 'example/server',
    network: isHost ? 'HOST' : isBridge ? 'BRIDGE' : 'USER',
    port_mappings: isHost ? [] : mappingsOf(task),
  }
  const isUser = !isHost && !isBridge
  return { type: 'DOCKER', docker, network_infos: isUser ? [{ name: networkName(task) }] : [] }
}

function mappingsOf(task: SimulatedTask): readonly Json[] {
  return (task.ports ?? []).flatMap(({ port, hostPort, protocol }) =>
    hostPort === undefined
      ? []
      : [{ host_port: hostPort, container_port: port, protocol: protocol ?? 'tcp' }],
  )
}

function addressMessage(address: string): Json {
  return { protocol: address.includes(':') ? 'IPv6' : 'IPv4', ip_address: address }
}

function networkName(task: SimulatedTask): string {
  return task.network === 'bridge' ? 'mesos-bridge' : 'dcos'
}

function isHostNetwork(task: SimulatedTask): boolean {
  return task.network === undefined || task.network === 'host'
}
