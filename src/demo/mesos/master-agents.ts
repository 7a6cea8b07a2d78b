/**
 * Agents as a master sees them come, go and come back, with exactly the events that Mesos sends.
 *
 * **Source:** Apache Mesos `src/master/master.cpp` (registerSlave, __reregisterSlave, addSlave,
 * removeSlave, _markUnreachable, _markGone, reconcileKnownSlave)
 */
import type { JsonMessage } from '../agent/json.ts'
import { idOf } from '../agent/state.ts'
import { keyOfTask, type Registration, type SimulatedAgent } from './agent.ts'
import { recoverFramework } from './master-frameworks.ts'
import {
  addTask,
  isPartitionAware,
  type MasterAgent,
  type MasterState,
  type MasterWord,
  masterUpdate,
  removeTask,
  updateTask,
} from './master-state.ts'
import { agentAdded, agentRemoved } from './messages.ts'
import { agentMessage } from './snapshot.ts'

/** An agent without an id registers. @returns its id */
export function admitAgent(state: MasterState, agent: SimulatedAgent, masterId: string): string {
  removeSuperseded(state, agent)
  const id = `${masterId}-S${state.registry.agentCount++}`
  const info = { ...agent.info, id: { value: id } }
  state.registry.agents.set(id, info)
  const entry = newAgent(state, { id, agent, info })
  state.agents.set(id, entry)
  state.emit(agentAdded(agentMessage(entry, state.rules)))
  return id
}

/** An agent with an id registers again. @returns whether it may stay */
export function readmitAgent(
  state: MasterState,
  agent: SimulatedAgent,
  registration: Registration,
): boolean {
  const id = idOf(registration.info, 'id')
  if (state.registry.gone.has(id)) return false
  const known = state.agents.get(id)
  if (known === undefined) comeBack(state, agent, registration)
  else reconcile(state, known, registration)
  return true
}

/** The connection broke: the agent is inactive, and nobody is told. */
export function agentDisconnected(entry: MasterAgent): void {
  entry.isConnected = false
}

/** Five pings without an answer. No AGENT_REMOVED: only the tasks tell. */
export function markUnreachable(state: MasterState, entry: MasterAgent): void {
  for (const task of [...entry.tasks.values()]) {
    const framework = state.frameworks.get(idOf(task, 'framework_id'))
    settleTask(
      state,
      { entry, task },
      {
        state: isPartitionAware(framework) ? 'TASK_UNREACHABLE' : 'TASK_LOST',
        reason: 'REASON_AGENT_REMOVED',
        isUnreachable: true,
      },
    )
    removeTask(state, { agent: entry, key: keyOfTask(task) }, 'unreachable')
  }
  forget(state, entry.id)
  state.registry.unreachable.add(entry.id)
}

/** The operator marks an agent gone for good. No AGENT_REMOVED either. */
export function markGone(state: MasterState, id: string): void {
  if (!state.rules.marksAgentsGone) return
  state.registry.gone.add(id)
  state.registry.unreachable.delete(id)
  state.recovered.delete(id)
  const entry = state.agents.get(id)
  if (entry === undefined) return void state.registry.agents.delete(id)
  for (const task of [...entry.tasks.values()]) {
    const framework = state.frameworks.get(idOf(task, 'framework_id'))
    const saysGone = state.rules.saysGoneToAll || isPartitionAware(framework)
    settleTask(
      state,
      { entry, task },
      {
        state: saysGone ? 'TASK_GONE_BY_OPERATOR' : 'TASK_LOST',
        reason: 'REASON_AGENT_REMOVED_BY_OPERATOR',
      },
    )
    removeTask(state, { agent: entry, key: keyOfTask(task) }, 'completed')
  }
  forget(state, id)
}

/** Graceful unregistration, maintenance, or another agent took the address. */
export function removeAgent(state: MasterState, entry: MasterAgent): void {
  for (const task of [...entry.tasks.values()]) {
    settleTask(state, { entry, task }, { state: 'TASK_LOST', reason: 'REASON_AGENT_REMOVED' })
    removeTask(state, { agent: entry, key: keyOfTask(task) }, 'completed')
  }
  forget(state, entry.id)
  state.emit(agentRemoved(entry.id))
}

/** After `--agent_reregister_timeout` who has not come back is unreachable: no event at all. */
export function giveUpRecovered(state: MasterState): void {
  for (const id of state.recovered.keys()) {
    state.registry.agents.delete(id)
    state.registry.unreachable.add(id)
  }
  state.recovered.clear()
}

function comeBack(state: MasterState, agent: SimulatedAgent, registration: Registration): void {
  removeSuperseded(state, agent)
  const id = idOf(registration.info, 'id')
  const wasUnreachable = state.registry.unreachable.delete(id)
  state.recovered.delete(id)
  state.registry.agents.set(id, registration.info)
  const entry = newAgent(state, { id, agent, info: registration.info })
  entry.reregisteredAtMs = state.world.schedule.wallMs()
  state.agents.set(id, entry)
  const tasks = registration.tasks.filter((task) =>
    survives(state, task, { agent, wasUnreachable }),
  )
  const isKnown = (task: JsonMessage) => state.frameworks.has(idOf(task, 'framework_id'))
  const waiting = tasks.filter((task) => !isKnown(task))
  for (const task of tasks.filter(isKnown)) addTask(state, entry, task)
  state.emit(agentAdded(agentMessage(entry, state.rules)))
  for (const info of registration.frameworks) {
    const frameworkId = idOf(info, 'id')
    const own = waiting.filter((task) => idOf(task, 'framework_id') === frameworkId)
    if (own.length === 0) continue
    recoverFramework(state, info)
    for (const task of own) addTask(state, entry, task)
  }
}

/** Tasks of removed frameworks are shut down; before 1.5 also those that the framework gave up. */
function survives(
  state: MasterState,
  task: JsonMessage,
  { agent, wasUnreachable }: { readonly agent: SimulatedAgent; readonly wasUnreachable: boolean },
): boolean {
  const frameworkId = idOf(task, 'framework_id')
  const isRemoved = state.completedFrameworks.has(frameworkId)
  const framework = state.frameworks.get(frameworkId)
  const isGivenUp =
    !state.rules.keepsUnawareTasks &&
    wasUnreachable &&
    framework !== undefined &&
    !isPartitionAware(framework)
  if (isRemoved) agent.shutDownFramework(frameworkId)
  else if (isGivenUp) agent.tasks.drop(keyOfTask(task))
  return !isRemoved && !isGivenUp
}

/** A registered agent reconnects: no event, but tasks that it does not know are asked for. */
function reconcile(state: MasterState, entry: MasterAgent, registration: Registration): void {
  entry.isConnected = true
  entry.info = registration.info
  entry.pid = registration.pid
  entry.reregisteredAtMs = state.world.schedule.wallMs()
  entry.callOff?.()
  entry.callOff = undefined
  state.registry.agents.set(entry.id, registration.info)
  const present = new Set(registration.tasks.map(keyOfTask))
  for (const [key, task] of entry.tasks) {
    if (present.has(key)) continue
    const framework = state.frameworks.get(idOf(task, 'framework_id'))
    const isAware = isPartitionAware(framework)
    entry.agent.fromMaster.send(() => entry.agent.answerForMissing(task, key, isAware))
  }
  for (const task of registration.tasks) {
    const frameworkId = idOf(task, 'framework_id')
    if (state.completedFrameworks.has(frameworkId)) entry.agent.shutDownFramework(frameworkId)
  }
}

/** An agent at an address that a lost one had: the lost one is removed. */
function removeSuperseded(state: MasterState, agent: SimulatedAgent): void {
  for (const entry of [...state.agents.values()]) {
    if (entry.pid === agent.pid && !entry.isConnected && entry.id !== agent.id) {
      removeAgent(state, entry)
      state.registry.agents.delete(entry.id)
    }
  }
}

function settleTask(
  state: MasterState,
  { entry, task }: { readonly entry: MasterAgent; readonly task: JsonMessage },
  word: MasterWord,
): void {
  updateTask(state, entry, masterUpdate(state.world, task, word))
}

function forget(state: MasterState, id: string): void {
  state.agents.get(id)?.callOff?.()
  state.agents.delete(id)
  state.registry.agents.delete(id)
}

function newAgent(
  state: MasterState,
  { id, agent, info }: Pick<MasterAgent, 'id' | 'agent' | 'info'>,
): MasterAgent {
  return {
    id,
    agent,
    info,
    pid: agent.pid,
    isConnected: true,
    registeredAtMs: state.world.schedule.wallMs(),
    reregisteredAtMs: undefined,
    tasks: new Map(),
    callOff: undefined,
  }
}
