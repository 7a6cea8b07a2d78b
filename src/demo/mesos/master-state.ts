/** What a leading master knows, and how its knowledge of a task changes. */
import type { JsonMessage } from '../agent/json.ts'
import { idOf } from '../agent/state.ts'
import { keyOfTask, type SimulatedAgent } from './agent.ts'
import type { AgentUpdate } from './agent-tasks.ts'
import {
  type AnyTaskState,
  isTerminalState,
  taskAdded,
  taskUpdated,
  timeMessage,
} from './messages.ts'
import type { MesosRules } from './rules.ts'
import type { World } from './schedule.ts'
import type { SimulatedScheduler } from './scheduler.ts'

/** What outlives a master: the replicated log. */
export interface Registry {
  /** AgentInfo messages of admitted agents by id. */
  readonly agents: Map<string, JsonMessage>
  readonly unreachable: Set<string>
  readonly gone: Set<string>
  /** How many ids were given. */
  agentCount: number
}

/** A registered agent. */
export interface MasterAgent {
  readonly id: string
  readonly agent: SimulatedAgent
  info: JsonMessage
  pid: string
  isConnected: boolean
  readonly registeredAtMs: number
  reregisteredAtMs: number | undefined
  /** Task messages by key. */
  readonly tasks: Map<string, JsonMessage>
  callOff: (() => void) | undefined
}

/** A framework. */
export interface MasterFramework {
  readonly id: string
  info: JsonMessage
  readonly scheduler: SimulatedScheduler | undefined
  isConnected: boolean
  isRecovered: boolean
  readonly registeredAtMs: number
  reregisteredAtMs: number | undefined
  unregisteredAtMs: number | undefined
  /** Keys of its tasks on registered agents, with the agent's id. */
  readonly tasks: Map<string, string>
  unreachable: Map<string, JsonMessage>
  completed: JsonMessage[]
  callOff: (() => void) | undefined
}

/** A leading master's knowledge. */
export interface MasterState {
  readonly world: World
  readonly rules: MesosRules
  readonly registry: Registry
  readonly agents: Map<string, MasterAgent>
  /** AgentInfo messages of agents that have not come back since the fail-over. */
  readonly recovered: Map<string, JsonMessage>
  readonly frameworks: Map<string, MasterFramework>
  readonly completedFrameworks: Map<string, MasterFramework>
  /** Keys of tasks whose stored state differs from what events told: only GET_STATE shows it. */
  readonly untold: Set<string>
  /** To all subscribers. */
  readonly emit: (event: JsonMessage) => void
}

const HEALTH_REASONS: ReadonlySet<unknown> = new Set([
  'REASON_TASK_CHECK_STATUS_UPDATED',
  'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED',
])
/** `--max_completed_tasks_per_framework`, `--max_unreachable_tasks_per_framework`. */
const MAX_ENDED = 1000

/** Whether the framework wants to know what became of tasks out of reach. */
export function isPartitionAware(framework: MasterFramework | undefined): boolean {
  return hasCapability(framework, 'PARTITION_AWARE')
}

/** Whether the framework has a capability. */
export function hasCapability(framework: MasterFramework | undefined, type: string): boolean {
  const capabilities = (framework?.info['capabilities'] ?? []) as readonly JsonMessage[]
  return capabilities.some((capability) => capability['type'] === type)
}

/** Books a task of a known framework and announces it. */
export function addTask(state: MasterState, agent: MasterAgent, task: JsonMessage): void {
  const key = keyOfTask(task)
  const framework = state.frameworks.get(idOf(task, 'framework_id'))
  if (framework === undefined) throw new Error(`the framework of ${key} is not known`)
  agent.tasks.set(key, task)
  framework.tasks.set(key, agent.id)
  framework.unreachable.delete(key)
  state.untold.delete(key)
  state.emit(taskAdded(task))
}

/**
 * A status has come for a task: the stored task follows, and subscribers hear of it or not.
 *
 * **Source:** Apache Mesos `src/master/master.cpp` (updateTask) of 1.4.x, 1.6.x and 1.7.x
 */
export function updateTask(state: MasterState, agent: MasterAgent, update: AgentUpdate): void {
  const task = agent.tasks.get(update.key)
  if (task === undefined) return
  const { rules } = state
  const { status, latestState } = update
  const statuses = (task['statuses'] ?? []) as readonly JsonMessage[]
  const isRepeat = statuses.at(-1)?.['state'] === status['state']
  const hadEnded = isTerminalState(task['state'])
  const isNewState = !hadEnded && latestState !== task['state']
  const updated = inOrder({
    ...task,
    state: hadEnded ? task['state'] : latestState,
    statuses: [...(isRepeat ? statuses.slice(0, -1) : statuses), status],
    status_update_state: status['state'],
    status_update_uuid: status['uuid'] ?? task['status_update_uuid'],
  })
  agent.tasks.set(update.key, updated)
  const isHealth = rules.announcesHealth && HEALTH_REASONS.has(status['reason'])
  const isNews = rules.announcesEachStatus ? !isRepeat : isNewState
  if (isHealth || isNews) {
    state.untold.delete(update.key)
    state.emit(taskUpdated(updated, status))
  } else if (isNewState) {
    // Since 1.7.0: a status that was sent again brings a newer state along, and nobody hears of it.
    state.untold.add(update.key)
  }
}

/** Where a task goes that a master strikes off. */
export type Fate = 'completed' | 'unreachable'

/** Strikes a task off without a word. */
export function removeTask(
  state: MasterState,
  { agent, key }: { readonly agent: MasterAgent; readonly key: string },
  fate: Fate,
): void {
  const task = agent.tasks.get(key)
  agent.tasks.delete(key)
  const framework = task && state.frameworks.get(idOf(task, 'framework_id'))
  if (framework === undefined || task === undefined) return
  framework.tasks.delete(key)
  if (fate === 'completed') framework.completed = [...framework.completed, task].slice(-MAX_ENDED)
  else framework.unreachable.set(key, task)
  const [oldest] = framework.unreachable.keys()
  if (framework.unreachable.size > MAX_ENDED && oldest) framework.unreachable.delete(oldest)
}

/** What the master itself says of a task. */
export interface MasterWord {
  readonly state: AnyTaskState
  readonly reason: string
  readonly isUnreachable?: boolean
}

/** The update by which a master moves a task itself. Such statuses need no acknowledgement. */
export function masterUpdate(world: World, task: JsonMessage, word: MasterWord): AgentUpdate {
  const wallMs = world.schedule.wallMs()
  const status = {
    task_id: task['task_id'],
    state: word.state,
    agent_id: task['agent_id'],
    timestamp: wallMs / 1000,
    source: 'SOURCE_MASTER',
    reason: word.reason,
    unreachable_time: word.isUnreachable === true ? timeMessage(wallMs) : undefined,
  }
  return { key: keyOfTask(task), status, latestState: word.state }
}

/** The fields that updates add stand before the labels, as in the protobuf. */
function inOrder(task: JsonMessage): JsonMessage {
  const { labels, discovery, container, health_check, limits, ...head } = task
  return { ...head, labels, discovery, container, health_check, limits }
}
