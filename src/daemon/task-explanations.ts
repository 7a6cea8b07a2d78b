/** What is known of a task, from whom, and what became of its ports. */
import type { Resources } from '../admin/admin.ts'
import { NavstarError } from '../base/error.ts'
import type { Table } from '../base/table.ts'
import { explainPorts, type PortVerdict } from '../l4lb/l4lb.ts'
import type { FollowedMasters, Mesos } from '../mesos/mesos.ts'
import type { BackendRecord, BackendRecordKey } from '../model/backend-record.ts'
import type { Task, TaskKey } from '../model/task.ts'
import { formatEndpoint } from '../model/vip.ts'

/** What this node's agent says. */
export interface AgentFacts extends Pick<Task, 'name' | 'phase' | 'health' | 'runtime'> {
  readonly framework: string
  readonly agentIp: string
  /** The task's own addresses. */
  readonly addresses: readonly string[]
  readonly ports: readonly PortVerdict[]
}

/** What the leading master's stream says. */
export interface MasterFactsView {
  /** E.g. `TASK_RUNNING`; absent when it is of a newer Mesos. */
  readonly state?: string
  readonly agentId: string
  /** Absent while the agent is not known. */
  readonly agentAddress?: string
  readonly hostname?: string
}

/** A backend as a node of the cluster states it. */
export interface StatedBackend {
  /** The node's id; absent: this node. */
  readonly node?: string
  /** The label and its port, or address and port. */
  readonly vip: string
  readonly endpoint: string
  readonly weight: number
}

/** A task that fits the question. */
export interface TaskExplanation {
  /** `<framework id>/<task id>`. */
  readonly key: string
  /** Absent: the agent of this node does not run it. */
  readonly agent?: AgentFacts
  /** Absent: no stream of a master is followed here, or it knows no such task. */
  readonly master?: MasterFactsView
  /** Parts of the agent's answer that were left out. */
  readonly skipped: readonly string[]
  readonly stated: readonly StatedBackend[]
}

/** The answer of `/v1/navstar/mesos/tasks?task=…`. */
export interface TaskExplanations {
  readonly isMasterFollowed: boolean
  readonly tasks: readonly TaskExplanation[]
}

/** Where the facts are. */
export interface ExplanationParts {
  readonly mesos: Pick<Mesos, 'tasks' | 'status'>
  readonly masters: Pick<FollowedMasters, 'facts'> | undefined
  /** Of all nodes. */
  readonly backends: Table<BackendRecordKey, BackendRecord>
}

/** The resource that explains tasks. */
export function explanationResources(parts: ExplanationParts): Resources {
  return {
    '/v1/navstar/mesos/tasks': (query) => {
      const task = query.get('task')
      if (task !== null && task !== '') return explainTasks(task, parts)
      const cause = 'which task? Add ?task=ID'
      throw new NavstarError('ADMIN_REQUEST_INVALID', { attempt: 'explain a task', cause })
    },
  }
}

/** Explains the tasks with this id, key or (of this node) name. */
export function explainTasks(wanted: string, parts: ExplanationParts): TaskExplanations {
  const { mesos, masters, backends } = parts
  const { skipped } = mesos.status()
  const tasks = [...mesos.tasks.snapshot.rows.values()]
  const own = tasks.filter(({ name, key }) => name === wanted || isNamed(key, wanted))
  const keys = new Set<string>([
    ...own.map(({ key }) => key),
    ...[...(masters?.facts.tasks.keys() ?? [])].filter((key) => isNamed(key, wanted)),
    ...skipped.map(({ owner }) => owner).filter((owner) => isNamed(owner, wanted)),
    ...[...backends.snapshot.rows.values()]
      .map(({ taskKey }) => taskKey)
      .filter((key) => isNamed(key, wanted)),
  ])
  const explanations = [...keys].sort().map((key) => explain(key as TaskKey, parts))
  return { isMasterFollowed: masters !== undefined, tasks: explanations }
}

function isNamed(key: string, wanted: string): boolean {
  return key === wanted || key.endsWith(`/${wanted}`)
}

function explain(key: TaskKey, { mesos, masters, backends }: ExplanationParts): TaskExplanation {
  const task = mesos.tasks.snapshot.rows.get(key)
  const master = masters && masterFacts(key, masters)
  const skipped = mesos.status().skipped.filter(({ owner }) => owner === key)
  const records = [...backends.snapshot.rows.values()].filter(({ taskKey }) => taskKey === key)
  return {
    key,
    ...(task && { agent: agentFacts(task) }),
    ...(master && { master }),
    skipped: skipped.map(({ detail }) => detail),
    stated: records.map(statedBackend),
  }
}

function agentFacts(task: Task): AgentFacts {
  const { name, phase, health, runtime, agentIp, addresses, frameworkName: framework } = task
  const ports = explainPorts(task)
  return { name, framework, phase, health, runtime, agentIp, addresses, ports }
}

function masterFacts(
  key: TaskKey,
  { facts }: Pick<FollowedMasters, 'facts'>,
): MasterFactsView | undefined {
  const task = facts.tasks.get(key)
  if (task === undefined) return undefined
  const { agentId, state } = task
  const { address, hostname } = facts.agents.get(agentId) ?? {}
  return {
    ...(state !== undefined && { state }),
    agentId,
    ...(address !== undefined && { agentAddress: address }),
    ...(hostname !== undefined && { hostname }),
  }
}

function statedBackend({ vip, vipPort, node, weight, ...endpoint }: BackendRecord): StatedBackend {
  const target =
    vip.kind === 'named'
      ? `${vip.name}:${vipPort}`
      : formatEndpoint({ address: vip.address, port: vipPort })
  return {
    ...(node !== undefined && { node }),
    vip: target,
    endpoint: formatEndpoint(endpoint),
    weight,
  }
}
