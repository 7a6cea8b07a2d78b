import { toPort } from '../../model/port.ts'
import {
  FieldError,
  type JsonObject,
  numberAt,
  objectAt,
  requiredTextAt,
  textAt,
} from '../state/json-fields.ts'
import type { Snapshot, SnapshotAgent, SnapshotFramework, SnapshotTask } from './snapshot.ts'
import type { OnEntry } from './steps.ts'

/** What agents listen on where nothing sensible is said. */
const DEFAULT_PORT = 5051

/** Longer than this nobody waits for a heartbeat. */
const MOST_HEARTBEAT_SECONDS = 86_400

/** Without these parts nothing is known; only with them does an absent list mean "none". */
const PARTS = ['get_tasks', 'get_frameworks', 'get_agents'] as const

/** Collects a snapshot entry by entry; ids that many entries share are kept once. */
export class SnapshotBuilder {
  readonly #tasks: SnapshotTask[] = []
  readonly #unreachableTasks: SnapshotTask[] = []
  readonly #agents: SnapshotAgent[] = []
  readonly #recoveredAgents: SnapshotAgent[] = []
  readonly #frameworks: SnapshotFramework[] = []
  readonly #shared = new Map<string, string>()
  #malformed = 0

  /** Takes an entry of a list; one without its ids is counted only. */
  readonly add: OnEntry = (list, entry) => {
    try {
      this.#take(list, entry)
    } catch (error) {
      if (!(error instanceof FieldError)) throw error
      this.#malformed++
    }
  }

  /** @throws FieldError when a part of the state is missing */
  finish(state: JsonObject | undefined, heartbeatSeconds: number | undefined): Snapshot {
    if (state === undefined) throw new FieldError('get_state', 'set')
    for (const part of PARTS) {
      if (objectAt(state, [part]) === undefined) throw new FieldError(part, 'set')
    }
    return {
      tasks: this.#tasks,
      unreachableTasks: this.#unreachableTasks,
      agents: this.#agents,
      recoveredAgents: this.#recoveredAgents,
      frameworks: this.#frameworks,
      heartbeatIntervalMs: intervalMs(heartbeatSeconds),
      malformed: this.#malformed,
    }
  }

  #take(list: string, entry: JsonObject): void {
    switch (list) {
      case 'tasks':
        this.#tasks.push(this.#task(entry))
        break
      case 'unreachable_tasks':
        this.#unreachableTasks.push(this.#task(entry))
        break
      case 'agents':
        this.#agents.push(this.#agent(objectAt(entry, ['agent_info']), textAt(entry, ['pid'])))
        break
      case 'recovered_agents':
        this.#recoveredAgents.push(this.#agent(entry, undefined))
        break
      case 'frameworks':
        this.#frameworks.push(this.#framework(entry))
        break
    }
  }

  #task(entry: JsonObject): SnapshotTask {
    return {
      frameworkId: this.#once(requiredTextAt(entry, ['framework_id', 'value'])),
      taskId: requiredTextAt(entry, ['task_id', 'value']),
      agentId: this.#once(requiredTextAt(entry, ['agent_id', 'value'])),
      state: textAt(entry, ['state']),
    }
  }

  #agent(info: JsonObject | undefined, pid: string | undefined): SnapshotAgent {
    if (info === undefined) throw new FieldError('agent_info', 'set')
    return {
      id: this.#once(requiredTextAt(info, ['id', 'value'])),
      hostname: requiredTextAt(info, ['hostname']),
      pid,
      port: toPort(numberAt(info, ['port'])) ?? DEFAULT_PORT,
    }
  }

  #framework(entry: JsonObject): SnapshotFramework {
    const id = this.#once(requiredTextAt(entry, ['framework_info', 'id', 'value']))
    return { id, name: requiredTextAt(entry, ['framework_info', 'name']) }
  }

  #once(text: string): string {
    const known = this.#shared.get(text)
    if (known !== undefined) return known
    this.#shared.set(text, text)
    return text
  }
}

/** Undefined for an interval that cannot be kept: then there is none to rely on. */
function intervalMs(seconds: number | undefined): number | undefined {
  if (seconds === undefined || !(seconds >= 0.001 && seconds <= MOST_HEARTBEAT_SECONDS)) {
    return undefined
  }
  return Math.round(seconds * 1000)
}
