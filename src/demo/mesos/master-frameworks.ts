/**
 * Frameworks as a master sees them come, go and come back.
 *
 * **Source:** Apache Mesos `src/master/master.cpp` (_subscribe, recoverFramework,
 * activateRecoveredFramework, removeFramework)
 */
import type { JsonMessage } from '../agent/json.ts'
import { idOf } from '../agent/state.ts'
import {
  type MasterFramework,
  type MasterState,
  masterUpdate,
  removeTask,
  updateTask,
} from './master-state.ts'
import { frameworkAdded, frameworkRemoved, frameworkUpdated } from './messages.ts'
import type { SimulatedScheduler } from './scheduler.ts'
import { frameworkMessage } from './snapshot.ts'

/**
 * A scheduler subscribes. `isReturning`: with an id from an earlier subscription.
 *
 * @returns false when its framework was removed
 */
export function subscribeFramework(
  state: MasterState,
  scheduler: SimulatedScheduler,
  isReturning: boolean,
): boolean {
  const { id } = scheduler.spec
  if (state.completedFrameworks.has(id)) return false
  const known = state.frameworks.get(id)
  const nowMs = state.world.schedule.wallMs()
  if (known === undefined && !isReturning) {
    const added = newFramework(state, scheduler.info)
    const framework = { ...added, scheduler, isConnected: true, isRecovered: false }
    state.frameworks.set(id, framework)
    state.emit(frameworkAdded(frameworkMessage(framework)))
    return true
  }
  if (known === undefined) recoverFramework(state, scheduler.info)
  const old = state.frameworks.get(id)
  if (old === undefined) return false
  old.callOff?.()
  const framework: MasterFramework = {
    ...old,
    info: scheduler.info,
    scheduler,
    isConnected: true,
    isRecovered: false,
    reregisteredAtMs: nowMs,
    callOff: undefined,
  }
  state.frameworks.set(id, framework)
  state.emit(frameworkUpdated(frameworkMessage(framework)))
  return true
}

/** UPDATE_FRAMEWORK. */
export function updateFramework(state: MasterState, scheduler: SimulatedScheduler): void {
  const framework = state.frameworks.get(scheduler.spec.id)
  if (framework === undefined) return
  const isChanged = JSON.stringify(framework.info) !== JSON.stringify(scheduler.info)
  framework.info = scheduler.info
  if (isChanged || state.rules.announcesNoChange) {
    state.emit(frameworkUpdated(frameworkMessage(framework)))
  }
}

/** An agent, or a scheduler, brings a framework that the master does not know. */
export function recoverFramework(state: MasterState, info: JsonMessage): void {
  const framework = newFramework(state, info)
  state.frameworks.set(framework.id, framework)
  if (state.rules.announcesRecoveredFrameworks) {
    state.emit(frameworkAdded(frameworkMessage(framework)))
  }
}

/** Teardown or failover_timeout. Tasks out of reach go without a word. */
export function removeFramework(state: MasterState, framework: MasterFramework): void {
  framework.callOff?.()
  for (const [key, agentId] of [...framework.tasks]) {
    const agent = state.agents.get(agentId)
    const task = agent?.tasks.get(key)
    if (agent === undefined || task === undefined) continue
    const word = { state: 'TASK_KILLED', reason: 'REASON_FRAMEWORK_REMOVED' } as const
    updateTask(state, agent, masterUpdate(state.world, task, word))
    removeTask(state, { agent, key }, 'completed')
  }
  for (const { agent } of state.agents.values()) {
    agent.fromMaster.send(() => agent.shutDownFramework(framework.id))
  }
  framework.isConnected = false
  framework.unregisteredAtMs = state.world.schedule.wallMs()
  state.frameworks.delete(framework.id)
  state.completedFrameworks.set(framework.id, framework)
  state.emit(frameworkRemoved(framework.info))
}

function newFramework(state: MasterState, info: JsonMessage): MasterFramework {
  return {
    id: idOf(info, 'id'),
    info,
    scheduler: undefined,
    isConnected: false,
    isRecovered: true,
    registeredAtMs: state.world.schedule.wallMs(),
    reregisteredAtMs: undefined,
    unregisteredAtMs: undefined,
    tasks: new Map(),
    unreachable: new Map(),
    completed: [],
    callOff: undefined,
  }
}
