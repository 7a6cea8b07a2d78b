import type { Brand } from './brand.ts'
import type { Ip } from './ip.ts'
import type { Port, Protocol } from './port.ts'

/** Identity of a task over the cluster: `<framework id>/<task id>`. */
export type TaskKey = Brand<string, 'TaskKey'>

/** The containerizer that runs the task; decides how port mappings are implemented. */
export type ContainerRuntime = 'mesos' | 'docker' | 'unknown'

/** What the scheduler of backends needs of Mesos' 14 states. `other` is never a backend. */
export type TaskPhase = 'running' | 'killing' | 'other'

/**
 * `healthy`: no check, or the newest result is good. `unhealthy`: the newest result is bad.
 * `unchecked`: there is a check, but no result yet.
 */
export type TaskHealth = 'healthy' | 'unhealthy' | 'unchecked'

/** A label that says something about a VIP of the same port, e.g. `VIP_0_ALGORITHM: maglev`. */
export interface VipOptionLabel {
  /** The VIP's own raw value, e.g. `/web:80`. */
  readonly vip: string
  /** E.g. `ALGORITHM`. */
  readonly option: string
  readonly value: string
}

/** A port of a task after merging mappings, resources and discovery. */
export interface TaskPort {
  readonly protocol: Protocol
  /** Where the process listens inside its own network. */
  readonly port?: Port
  /** Where the agent's address serves it, when the port is mapped. */
  readonly hostPort?: Port
  readonly name?: string
  /** Raw VIP label values, e.g. `/web:80`, sorted, without duplicates. */
  readonly vips: readonly string[]
  /** Sorted, without duplicates; absent when there are none. */
  readonly vipOptions?: readonly VipOptionLabel[]
}

/** A running task of one agent, as far as the network needs it. */
export interface Task {
  readonly key: TaskKey
  readonly id: string
  readonly frameworkId: string
  /** Scope of named VIPs, e.g. `marathon`. */
  readonly frameworkName: string
  /** Discovery name, else task name. */
  readonly name: string
  readonly phase: TaskPhase
  readonly health: TaskHealth
  readonly runtime: ContainerRuntime
  readonly agentIp: Ip
  /** The task's own addresses; exactly the agent's for host networking; may be empty. */
  readonly addresses: readonly Ip[]
  readonly ports: readonly TaskPort[]
}

/** The key of a task. */
export function taskKeyOf(frameworkId: string, taskId: string): TaskKey {
  return `${frameworkId}/${taskId}` as TaskKey
}
