import { NavstarError } from '../../base/error.ts'
import type { Ip } from '../../model/ip.ts'
import { type ContainerRuntime, type Task, taskKeyOf } from '../../model/task.ts'
import { type JsonObject, objectsAt, requiredTextAt, textAt, toObject } from './json-fields.ts'
import { collapseHostPorts } from './merge-ports.ts'
import { portsOf } from './ports.ts'
import { quote, type Skipped } from './skipped.ts'
import { addressesOf, healthOf, networksOf, newestFirst, phaseOf } from './statuses.ts'

/** What a task of Mesos is read with. */
export interface TaskContext {
  readonly agentIp: Ip
  /** Framework names by id. */
  readonly frameworks: ReadonlyMap<string, string>
  /** Receives what is left out. */
  readonly onSkipped: (skipped: Skipped) => void
}

/**
 * Reads one task in a guard of its own: whatever is wrong with it, the others work.
 *
 * @returns undefined for a malformed task, which is handed to `onSkipped` as TASK_INVALID
 */
export function readTask(task: unknown, context: TaskContext): Task | undefined {
  try {
    return parseTask(toObject(task, 'the task'), context)
  } catch (cause) {
    const owner = identityOf(task)
    const error = new NavstarError('TASK_INVALID', { attempt: `read task ${owner}`, cause })
    const detail = cause instanceof Error ? cause.message : String(cause)
    context.onSkipped({ reason: 'task_malformed', owner, detail, error })
    return undefined
  }
}

/** @throws FieldError */
function parseTask(task: JsonObject, { agentIp, frameworks, onSkipped }: TaskContext): Task {
  const id = requiredTextAt(task, ['task_id', 'value'])
  const frameworkId = requiredTextAt(task, ['framework_id', 'value'])
  const key = taskKeyOf(frameworkId, id)
  const skip = (reason: Skipped['reason'], detail: string) =>
    onSkipped({ reason, owner: key, detail })
  const newest = newestFirst(task)
  const networks = networksOf(newest)
  const addresses = addressesOf(networks, skip)
  const ports = portsOf({ task, networks }, skip)
  return {
    key,
    id,
    frameworkId,
    // A principal that may see tasks but not frameworks: the id is at least unique.
    frameworkName: frameworks.get(frameworkId) ?? frameworkId,
    name: textAt(task, ['discovery', 'name']) ?? textAt(task, ['name']) ?? '',
    phase: phaseOf(task),
    health: healthOf(task, newest),
    runtime: runtimeOf(task),
    agentIp,
    addresses,
    // Only a task on the agent's own network has the agent's address among its own.
    ports: addresses.includes(agentIp) ? collapseHostPorts(ports) : ports,
  }
}

/** A task without container information runs in the Mesos containerizer. */
function runtimeOf(task: JsonObject): ContainerRuntime {
  const type = textAt(task, ['container', 'type']) ?? 'MESOS'
  if (type === 'MESOS') return 'mesos'
  return type === 'DOCKER' ? 'docker' : 'unknown'
}

/** Framework names by id, of running and of completed frameworks. */
export function frameworkNames(
  state: JsonObject,
  onSkipped: (skipped: Skipped) => void,
): ReadonlyMap<string, string> {
  const names = new Map<string, string>()
  for (const list of ['completed_frameworks', 'frameworks']) {
    for (const framework of objectsAt(state, ['get_frameworks', list])) {
      try {
        const id = requiredTextAt(framework, ['framework_info', 'id', 'value'])
        names.set(id, requiredTextAt(framework, ['framework_info', 'name']))
      } catch (cause) {
        const detail = cause instanceof Error ? cause.message : String(cause)
        onSkipped({ reason: 'framework_malformed', owner: list, detail })
      }
    }
  }
  return names
}

/** As much of a malformed task's identity as there is. */
function identityOf(task: unknown): string {
  const ids = ['framework_id', 'task_id'].map((field) => {
    const id = (task as Record<string, { value?: unknown } | undefined> | null)?.[field]?.value
    return typeof id === 'string' ? id : quote(id)
  })
  return ids.join('/')
}
