/**
 * What the statuses of a task say. A task's lifecycle is in `Task.state`; addresses and health
 * are in its statuses, of which there may be none. A TASK_STARTING of the Docker containerizer
 * carries the agent's address even for bridged tasks, so addresses count from TASK_RUNNING on.
 *
 * **Source:** Apache Mesos `src/slave/slave.cpp` (statusUpdate), dcos-net
 * `dcos_net_mesos_listener.erl` (handle_task_status, handle_task_healthy)
 */
import { type Ip, parseIp } from '../../model/ip.ts'
import type { TaskHealth, TaskPhase } from '../../model/task.ts'
import {
  booleanAt,
  type JsonObject,
  objectAt,
  objectsAt,
  requiredTextAt,
  textAt,
} from './json-fields.ts'
import { quote, type SkipPart } from './skipped.ts'

const BEFORE_RUNNING: ReadonlySet<string | undefined> = new Set([
  undefined,
  'TASK_STAGING',
  'TASK_STARTING',
])

/** The phase of a task. @throws FieldError without a state */
export function phaseOf(task: JsonObject): TaskPhase {
  const state = requiredTextAt(task, ['state'])
  if (state === 'TASK_RUNNING') return 'running'
  return state === 'TASK_KILLING' ? 'killing' : 'other'
}

/** The statuses, newest first: Mesos lists them as they came. Timestamps go back when clocks do. */
export function newestFirst(task: JsonObject): readonly JsonObject[] {
  return objectsAt(task, ['statuses']).toReversed()
}

/** The health by the newest status that carries a result. */
export function healthOf(task: JsonObject, newest: readonly JsonObject[]): TaskHealth {
  for (const status of newest) {
    const isHealthy = booleanAt(status, ['healthy'])
    if (isHealthy !== undefined) return isHealthy ? 'healthy' : 'unhealthy'
  }
  return objectAt(task, ['health_check']) === undefined ? 'healthy' : 'unchecked'
}

/**
 * The networks of the container, by the newest status from TASK_RUNNING on that names any:
 * a TASK_KILLING without them must not make a draining task lose its address.
 */
export function networksOf(newest: readonly JsonObject[]): readonly JsonObject[] {
  for (const status of newest) {
    if (BEFORE_RUNNING.has(textAt(status, ['state']))) continue
    const networks = objectsAt(status, ['container_status', 'network_infos'])
    if (networks.length > 0) return networks
  }
  return []
}

/** The addresses of the networks, in Mesos' order, without duplicates; what is no IP is skipped. */
export function addressesOf(networks: readonly JsonObject[], skip: SkipPart): readonly Ip[] {
  const addresses = new Set<Ip>()
  for (const network of networks) {
    for (const entry of objectsAt(network, ['ip_addresses'])) {
      const text = textAt(entry, ['ip_address'])
      if (text === undefined) continue
      // `protocol` is not read: Mesos writes its default, IPv4, beside IPv6 addresses as well.
      const address = parseIp(text)
      if (address === undefined) skip('address', quote(text))
      else addresses.add(address)
    }
  }
  return [...addresses]
}
