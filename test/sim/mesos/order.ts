/**
 * The order rules of the operator stream, written down a second time from the reference and not
 * from the simulator: what a master of this version never sends is a {@link Violation}. Captures of
 * real masters must pass. Keeps the picture that a naive listener has.
 *
 * **Source:** Apache Mesos `src/master/master.cpp` (Subscribers::send and its callers)
 */
import type { JsonMessage } from '../../../src/demo/agent/json.ts'
import { idOf } from '../../../src/demo/agent/state.ts'
import { isTerminalState } from '../../../src/demo/mesos/messages.ts'
import type { MesosRules } from '../../../src/demo/mesos/rules.ts'
import { Violation } from '../violation.ts'

/** A task as events tell it. */
export interface ToldTask {
  readonly key: string
  readonly agentId: string
  state: unknown
  /** State of the newest status; undefined: none yet. */
  lastStatus: unknown
}

const HEALTH_REASONS: ReadonlySet<unknown> = new Set([
  'REASON_TASK_CHECK_STATUS_UPDATED',
  'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED',
])

/** Checks one stream. */
export class OrderCheck {
  readonly tasks: Map<string, ToldTask> = new Map()
  readonly agents: Set<string> = new Set()
  readonly frameworks: Set<string> = new Set()
  readonly #rules: MesosRules
  /** The agent whose AGENT_ADDED must be the next thing after its tasks. */
  #announced: string | undefined
  #count = 0
  #hasSubscribed = false
  readonly #checks: Readonly<Record<string, (content: JsonMessage) => void>> = {
    SUBSCRIBED: (content) => this.#subscribed(content),
    HEARTBEAT: () => this.#heartbeat(),
    TASK_ADDED: (content) => this.#taskAdded(part(content, 'task')),
    TASK_UPDATED: (content) => this.#taskUpdated(content),
    AGENT_ADDED: (content) =>
      this.#agentAdded(idOf(part(part(content, 'agent'), 'agent_info'), 'id')),
    AGENT_REMOVED: (content) => this.#agentRemoved(idOf(content, 'agent_id')),
    FRAMEWORK_ADDED: (content) => this.#frameworkAdded(frameworkId(content)),
    FRAMEWORK_UPDATED: (content) => this.#frameworkUpdated(frameworkId(content)),
    FRAMEWORK_REMOVED: (content) =>
      this.#frameworkRemoved(idOf(part(content, 'framework_info'), 'id')),
  }

  constructor(rules: MesosRules) {
    this.#rules = rules
  }

  /** Checks the next event. @throws Violation */
  see(event: JsonMessage): void {
    const { type } = event
    this.#count++
    const content = part(event, String(type).toLowerCase())
    const isBeginning = type === 'SUBSCRIBED' || type === 'HEARTBEAT'
    this.#hold('subscription', isBeginning || this.#hasSubscribed, `${type} before SUBSCRIBED`)
    if (type !== 'TASK_ADDED' && type !== 'AGENT_ADDED') this.#noneAnnounced(String(type))
    const check = this.#checks[String(type)]
    if (check === undefined) throw new Violation('known types', `Mesos does not send ${type}`)
    check(content)
  }

  /** At the end of a stream or a pause. */
  rest(): void {
    this.#noneAnnounced('silence')
  }

  #heartbeat(): void {
    const { hasHeartbeats, mayBeatBeforeSubscribed } = this.#rules
    this.#hold('heartbeat', hasHeartbeats, 'this version has none')
    const isInPlace = this.#hasSubscribed || mayBeatBeforeSubscribed
    this.#hold('heartbeat', isInPlace, 'before SUBSCRIBED')
  }

  #subscribed(content: JsonMessage): void {
    const isFirst = !this.#hasSubscribed && this.#count <= 2
    this.#hold('subscription', isFirst, 'SUBSCRIBED is not the first record')
    this.#hasSubscribed = true
    const hasInterval = content['heartbeat_interval_seconds'] !== undefined
    this.#hold(
      'heartbeat',
      hasInterval === this.#rules.hasHeartbeats,
      'interval and version differ',
    )
    const state = part(content, 'get_state')
    const tasks = part(state, 'get_tasks')
    for (const task of listOf(tasks, 'tasks')) this.#book(task)
    for (const task of listOf(tasks, 'unreachable_tasks')) this.#book(task)
    for (const agent of listOf(part(state, 'get_agents'), 'agents')) {
      this.agents.add(idOf(part(agent, 'agent_info'), 'id'))
    }
    for (const framework of listOf(part(state, 'get_frameworks'), 'frameworks')) {
      this.frameworks.add(idOf(part(framework, 'framework_info'), 'id'))
    }
  }

  #taskAdded(task: JsonMessage): void {
    const key = keyOf(task)
    const agentId = idOf(task, 'agent_id')
    const known = this.tasks.get(key)
    const isOver = known === undefined || isOut(known.state)
    this.#hold('task added', isOver, `${key} is ${known?.state} already`)
    const isFrameworkKnown = this.frameworks.has(idOf(task, 'framework_id'))
    const mayLackFramework = !this.#rules.announcesRecoveredFrameworks
    this.#hold('task added', isFrameworkKnown || mayLackFramework, `framework of ${key} unknown`)
    if (this.#announced !== undefined && this.#announced !== agentId) this.#noneAnnounced(key)
    // Either the agent is there, or it is about to be: its AGENT_ADDED follows its tasks.
    if (!this.agents.has(agentId)) this.#announced = agentId
    this.#book(task)
  }

  #taskUpdated(content: JsonMessage): void {
    const status = part(content, 'status')
    const key = `${idOf(content, 'framework_id')}/${idOf(status, 'task_id')}`
    const known = this.tasks.get(key)
    if (known === undefined) throw new Violation('task updated', `${key} was never added`)
    const { state } = content
    const isHealth = HEALTH_REASONS.has(status['reason'])
    const wasOver = isTerminalState(known.state as string)
    this.#hold('task updated', !wasOver || state === known.state, `${key} left ${known.state}`)
    const isAlive = state === 'TASK_STARTING' || state === 'TASK_RUNNING'
    const isBack = known.state === 'TASK_KILLING' && isAlive
    this.#hold('task updated', !isBack, `${key} came back from TASK_KILLING`)
    const isNews = this.#rules.announcesEachStatus
      ? status['state'] !== known.lastStatus
      : state !== known.state
    const isDue = isNews || (isHealth && this.#rules.announcesHealth)
    this.#hold('task updated', isDue, `${key} ${state} (${status['state']}) is no news`)
    known.state = state
    known.lastStatus = status['state']
  }

  #agentAdded(id: string): void {
    if (this.#announced !== undefined && this.#announced !== id) this.#noneAnnounced(id)
    this.#announced = undefined
    this.agents.add(id)
  }

  #agentRemoved(id: string): void {
    this.#hold('agent removed', this.agents.delete(id), `${id} was never added`)
    for (const { key, agentId, state } of this.tasks.values()) {
      const isOver = agentId !== id || isOut(state)
      this.#hold('agent removed', isOver, `${key} on it is ${state}`)
    }
  }

  #frameworkAdded(id: string): void {
    this.#hold('framework added', !this.frameworks.has(id), `${id} is known`)
    this.frameworks.add(id)
  }

  #frameworkUpdated(id: string): void {
    const mayBeNew = !this.#rules.announcesRecoveredFrameworks
    this.#hold('framework updated', mayBeNew || this.frameworks.has(id), `${id} is not known`)
    this.frameworks.add(id)
  }

  #frameworkRemoved(id: string): void {
    const mayBeNew = !this.#rules.announcesRecoveredFrameworks
    this.#hold('framework removed', this.frameworks.delete(id) || mayBeNew, `${id} is not known`)
    for (const { key, state } of this.tasks.values()) {
      const isOver = !key.startsWith(`${id}/`) || isOut(state)
      this.#hold('framework removed', isOver, `its ${key} is ${state}`)
    }
  }

  #book(task: JsonMessage): void {
    const statuses = listOf(task, 'statuses')
    this.tasks.set(keyOf(task), {
      key: keyOf(task),
      agentId: idOf(task, 'agent_id'),
      state: task['state'],
      lastStatus: statuses.at(-1)?.['state'],
    })
  }

  #noneAnnounced(by: string): void {
    this.#hold(
      'agent added',
      this.#announced === undefined,
      `${this.#announced} must follow its tasks, not ${by}`,
    )
  }

  #hold(rule: string, isHeld: boolean, detail: string): void {
    if (!isHeld) throw new Violation(rule, `event ${this.#count}: ${detail}`)
  }
}

/** Ended, or out of the master's sight: only then may a task be added (again). */
function isOut(state: unknown): boolean {
  return isTerminalState(state as string) || state === 'TASK_UNREACHABLE'
}

function keyOf(task: JsonMessage): string {
  return `${idOf(task, 'framework_id')}/${idOf(task, 'task_id')}`
}

function frameworkId(content: JsonMessage): string {
  return idOf(part(part(content, 'framework'), 'framework_info'), 'id')
}

function part(message: JsonMessage, field: string): JsonMessage {
  return (message[field] ?? {}) as JsonMessage
}

function listOf(message: JsonMessage, field: string): readonly JsonMessage[] {
  return (message[field] ?? []) as readonly JsonMessage[]
}
