/** What is known of a task, from whom, and what became of its ports. */
import type { Resources } from '../admin/admin.ts'
import { wallText } from '../base/clock.ts'
import { NavstarError } from '../base/error.ts'
import type { Table } from '../base/table.ts'
import type { DaemonConfig } from '../config/config.ts'
import { explainPorts, type PortVerdict } from '../l4lb/l4lb.ts'
import type { FollowedMasters, Mesos } from '../mesos/mesos.ts'
import type { BackendRecord, BackendRecordKey } from '../model/backend-record.ts'
import type { Task, TaskKey } from '../model/task.ts'
import { formatEndpoint } from '../model/vip.ts'
import { agentView, type SourceView } from './mesos-status.ts'

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
  /** How current the agent's facts are. */
  readonly agent: SourceView
  readonly isMasterFollowed: boolean
  /** Since when the master's facts may be out of date; absent while they are current. */
  readonly masterStaleSince?: string
  /** Keys of tasks that begin so, when none is exactly so and several do; at most 10. */
  readonly candidates: readonly string[]
  readonly tasks: readonly TaskExplanation[]
}

/** Where the facts are. */
export interface ExplanationParts {
  readonly config: { readonly mesos: Pick<DaemonConfig['mesos'], 'agentUrl'> }
  readonly mesos: Pick<Mesos, 'tasks' | 'status'>
  readonly masters: Pick<FollowedMasters, 'facts' | 'status'> | undefined
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

/**
 * Explains the tasks with this id, key or (of this node) name; where there is none the one whose
 * id, key or name begins so.
 */
export function explainTasks(wanted: string, parts: ExplanationParts): TaskExplanations {
  const { config, mesos, masters } = parts
  const known = [...knownTasks(parts)]
  const exact = keysNamed(known, (name) => name === wanted)
  const similar = exact.length > 0 ? [] : keysNamed(known, (name) => name.startsWith(wanted))
  const isClear = similar.length === 1
  const keys = isClear ? similar : exact
  const staleWallMs = masters?.status().stream.staleSinceWallMs
  return {
    agent: agentView(config.mesos.agentUrl, mesos.status()),
    isMasterFollowed: masters !== undefined,
    ...(staleWallMs !== undefined && { masterStaleSince: wallText(staleWallMs) }),
    candidates: isClear ? [] : similar.slice(0, MAX_CANDIDATES),
    tasks: keys.map((key) => explain(key as TaskKey, parts)),
  }
}

const MAX_CANDIDATES = 10

/** Key and name of each task that anybody knows; several times when several do. */
function* knownTasks({ mesos, masters, backends }: ExplanationParts): Generator<Named> {
  for (const { key, name } of mesos.tasks.snapshot.rows.values()) yield { key, name }
  for (const key of masters?.facts.tasks.keys() ?? []) yield { key }
  for (const { owner: key } of mesos.status().skipped) yield { key }
  for (const { taskKey: key } of backends.snapshot.rows.values()) yield { key }
}

interface Named {
  readonly key: string
  readonly name?: string
}

function keysNamed(known: Iterable<Named>, matches: (text: string) => boolean): readonly string[] {
  const keys = new Set<string>()
  for (const { key, name } of known) {
    const id = key.slice(key.indexOf('/') + 1)
    if (matches(key) || matches(id) || (name !== undefined && matches(name))) keys.add(key)
  }
  return [...keys].sort()
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
