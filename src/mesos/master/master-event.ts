/** Events of a master's stream, as far as they say who runs where. */
import { NavstarError } from '../../base/error.ts'
import type { SnapshotAgent } from '../snapshot/snapshot.ts'
import {
  FieldError,
  type JsonObject,
  numberAt,
  objectAt,
  requiredTextAt,
  textAt,
} from '../state/json-fields.ts'

/** The types that Mesos sends; all others are `other`. */
export const EVENT_KINDS = [
  'SUBSCRIBED',
  'TASK_ADDED',
  'TASK_UPDATED',
  'AGENT_ADDED',
  'AGENT_REMOVED',
  'FRAMEWORK_ADDED',
  'FRAMEWORK_UPDATED',
  'FRAMEWORK_REMOVED',
  'HEARTBEAT',
  'other',
] as const

/** The type of an event. */
export type EventKind = (typeof EVENT_KINDS)[number]

/** What an event says. */
export type MasterEvent =
  | {
      readonly kind: 'task'
      readonly frameworkId: string
      readonly taskId: string
      /** Undefined where the status names none: the agent that is known then. */
      readonly agentId: string | undefined
      /** E.g. `TASK_RUNNING`; undefined for one that we do not know: as before. */
      readonly state: string | undefined
      /** The operator has said that the agent of the task is gone for good. */
      readonly isAgentGone?: boolean
    }
  | { readonly kind: 'agent'; readonly agent: SnapshotAgent }
  | { readonly kind: 'agentRemoved'; readonly agentId: string }
  | { readonly kind: 'frameworkRemoved'; readonly frameworkId: string }
  | { readonly kind: 'nothing' }

const NOTHING: MasterEvent = Object.freeze({ kind: 'nothing' })

/** The type of a decoded event. */
export function eventKindOf(event: JsonObject): EventKind {
  return EVENT_KINDS.find((kind) => kind === event['type']) ?? 'other'
}

/**
 * Reads a decoded event; one of no interest or of an unknown type says nothing.
 *
 * **Source:** Apache Mesos `include/mesos/v1/master/master.proto` (Event). The state of a task is
 * that of the event: the one in its status is the oldest that waits for acknowledgement.
 *
 * @throws NavstarError MESOS_RESPONSE_INVALID
 */
export function readMasterEvent(event: JsonObject): MasterEvent {
  const kind = eventKindOf(event)
  try {
    return read(kind, event)
  } catch (cause) {
    if (!(cause instanceof FieldError)) throw cause
    throw new NavstarError('MESOS_RESPONSE_INVALID', { attempt: `read a ${kind}`, cause })
  }
}

function read(kind: EventKind, event: JsonObject): MasterEvent {
  switch (kind) {
    case 'TASK_ADDED':
      return taskAdded(contentOf(event, ['task_added', 'task']))
    case 'TASK_UPDATED':
      return taskUpdated(contentOf(event, ['task_updated']))
    case 'AGENT_ADDED':
      return agentAdded(contentOf(event, ['agent_added', 'agent']))
    case 'AGENT_REMOVED':
      return {
        kind: 'agentRemoved',
        agentId: requiredTextAt(event, ['agent_removed', 'agent_id', 'value']),
      }
    case 'FRAMEWORK_REMOVED': {
      const path = ['framework_removed', 'framework_info', 'id', 'value']
      return { kind: 'frameworkRemoved', frameworkId: requiredTextAt(event, path) }
    }
    case 'SUBSCRIBED':
    case 'FRAMEWORK_ADDED':
    case 'FRAMEWORK_UPDATED':
    case 'HEARTBEAT':
    case 'other':
      return NOTHING
  }
}

function contentOf(event: JsonObject, path: readonly string[]): JsonObject {
  const content = objectAt(event, path)
  if (content === undefined) throw new FieldError(path.join('.'), 'set')
  return content
}

function taskAdded(task: JsonObject): MasterEvent {
  return {
    kind: 'task',
    frameworkId: requiredTextAt(task, ['framework_id', 'value']),
    taskId: requiredTextAt(task, ['task_id', 'value']),
    agentId: requiredTextAt(task, ['agent_id', 'value']),
    state: textAt(task, ['state']),
  }
}

function taskUpdated(update: JsonObject): MasterEvent {
  return {
    kind: 'task',
    frameworkId: requiredTextAt(update, ['framework_id', 'value']),
    taskId: requiredTextAt(update, ['status', 'task_id', 'value']),
    agentId: textAt(update, ['status', 'agent_id', 'value']),
    state: textAt(update, ['state']),
    // Since 1.9.1 a framework that is not PARTITION_AWARE is told TASK_LOST: the reason tells more.
    isAgentGone: textAt(update, ['status', 'reason']) === 'REASON_AGENT_REMOVED_BY_OPERATOR',
  }
}

function agentAdded(agent: JsonObject): MasterEvent {
  return {
    kind: 'agent',
    agent: {
      id: requiredTextAt(agent, ['agent_info', 'id', 'value']),
      hostname: requiredTextAt(agent, ['agent_info', 'hostname']),
      pid: textAt(agent, ['pid']),
      port: numberAt(agent, ['agent_info', 'port']) ?? 0,
    },
  }
}
