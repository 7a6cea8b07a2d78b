/**
 * From the tasks of this node to the backend records that it states.
 *
 * **Source:** dcos-net `apps/dcos_l4lb/src/dcos_l4lb_mesos_poller.erl`
 */
import { NavstarError } from '../../base/error.ts'
import { type BackendRecord, backendRecordKeyOf } from '../../model/backend-record.ts'
import { familyOf, type Ip, isIpv4 } from '../../model/ip.ts'
import type { Port } from '../../model/port.ts'
import type { Task, TaskPort, VipOptionLabel } from '../../model/task.ts'
import type { DrainReason } from '../../model/vip.ts'
import type { VipOptions } from '../../model/vip-options.ts'
import type { Zone } from '../../model/zone.ts'
import { parseVipLabel, type VipLabel } from './labels.ts'
import { parseOptions } from './options.ts'

/** What a task contributes, and what of it could not be used and why. */
export interface Advertisement {
  readonly records: readonly BackendRecord[]
  readonly problems: readonly NavstarError[]
}

/** Where a port answers; `local` is set when the agent's address is only a mapping to it. */
interface Endpoint {
  readonly address: Ip
  readonly port: Port
  readonly local?: { readonly address: Ip; readonly port: Port }
}

/**
 * The records of one task: none unless it is running or being killed.
 *
 * @param zone this node's
 */
export function advertise(task: Task, zone?: Zone): Advertisement {
  if (task.phase === 'other') return { records: [], problems: [] }
  const records = new Map<string, BackendRecord>()
  const problems: NavstarError[] = []
  for (const port of task.ports) {
    for (const value of port.vips) {
      try {
        const parsed = parseOptions(optionsOf(port, value), value)
        problems.push(...parsed.problems)
        for (const record of recordsOf(task, port, { value, options: parsed.options, zone })) {
          records.set(record.key, record)
        }
      } catch (error) {
        if (!(error instanceof NavstarError)) throw error
        problems.push(error)
      }
    }
  }
  return { records: [...records.values()], problems }
}

/** Why a task drains; undefined when it does not. */
export function drainReasonOf(task: Task): DrainReason | undefined {
  if (task.phase === 'killing') return 'killing'
  return task.health === 'healthy' ? undefined : task.health
}

/** 1 for a task that may take new connections, 0 for one that drains or is not yet healthy. */
export function weightOf(task: Task): 0 | 1 {
  return drainReasonOf(task) === undefined ? 1 : 0
}

function optionsOf({ vipOptions = [] }: TaskPort, value: string): readonly VipOptionLabel[] {
  return vipOptions.filter(({ vip }) => vip === value)
}

/** A label with what is said about it. */
interface StatedVip {
  readonly value: string
  readonly options: VipOptions
  /** This node's. */
  readonly zone: Zone | undefined
}

function recordsOf(task: Task, port: TaskPort, stated: StatedVip): BackendRecord[] {
  const { value, options, zone } = stated
  const label = parseVipLabel(value, task.frameworkName)
  const endpoints = endpointsOf(task, port).filter((endpoint) => fits(label, endpoint))
  if (endpoints.length === 0) {
    const attempt = `find an endpoint of task ${task.id} for VIP label '${value}'`
    const cause = 'no address of the task fits'
    throw new NavstarError('BACKEND_FAMILY_MISMATCH', { attempt, cause })
  }
  return endpoints.map((endpoint) => recordOf({ task, port, label, endpoint, options, zone }))
}

/** A literal VIP takes backends of its own family only; a named one has an address per family. */
function fits({ vip }: VipLabel, endpoint: Endpoint): boolean {
  return vip.kind === 'named' || familyOf(vip.address) === familyOf(endpoint.address)
}

function endpointsOf(task: Task, port: TaskPort): Endpoint[] {
  if (port.hostPort !== undefined) return [hostEndpoint(task, port, port.hostPort)]
  const inner = port.port
  if (inner === undefined) return []
  return task.addresses.map((address) => ({ address, port: inner }))
}

/**
 * A mapped port answers on the agent's address. On its own node the mapping of Mesos' port
 * mapper is a NAT rule that translated packets would not pass a second time, so there the
 * container's own address is used; Docker's own proxy answers locally.
 */
function hostEndpoint(task: Task, port: TaskPort, hostPort: Port): Endpoint {
  const outside = { address: task.agentIp, port: hostPort }
  const container = task.addresses.find((address) => isIpv4(address) === isIpv4(task.agentIp))
  const isMapped = port.port !== undefined && container !== undefined && container !== task.agentIp
  if (!isMapped || task.runtime === 'docker') return outside
  return { ...outside, local: { address: container, port: port.port } }
}

interface RecordParts {
  readonly task: Task
  readonly port: TaskPort
  readonly label: VipLabel
  readonly endpoint: Endpoint
  readonly options: VipOptions
  readonly zone: Zone | undefined
}

function recordOf({ task, port, label, endpoint, options, zone }: RecordParts): BackendRecord {
  const drainReason = drainReasonOf(task)
  const record = {
    vip: label.vip,
    vipPort: label.port,
    protocol: port.protocol,
    ...endpoint,
    weight: weightOf(task),
    ...(drainReason !== undefined && { drainReason }),
    nodeIp: task.agentIp,
    taskKey: task.key,
    ...(Object.keys(options).length > 0 && { options }),
    ...(zone !== undefined && { zone }),
  }
  return { key: backendRecordKeyOf(record), ...record }
}
