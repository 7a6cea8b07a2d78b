/** A snapshot takes the place of what was known, but not of what events have told since. */
import { type TaskKey, taskKeyOf } from '../../model/task.ts'
import type { Snapshot, SnapshotAgent, SnapshotTask } from '../snapshot/snapshot.ts'
import type { Steps } from '../snapshot/steps.ts'
import { awaitedAgent, isSameAgent, type MasterAgent, registeredAgent } from './known-agents.ts'
import { isSameTask, isTerminal } from './known-tasks.ts'
import { type Change, type FactsChange, type Ledger, newChange, type Touched } from './ledger.ts'

/** So many entries of a snapshot take about a millisecond. */
const ENTRIES_PER_STEP = 500

/** What {@link replace} works with. */
export interface ReplaceParts {
  readonly ledger: Ledger
  readonly snapshot: Snapshot
  /** Events between the steps add to it. */
  readonly newer: Touched
  /** How long the agents are kept that the master awaits. */
  readonly awaitedUntilMs: number
}

interface Replacement extends ReplaceParts {
  readonly change: Change
}

/** Notes the snapshot in the ledger, step by step. */
export function* replace(parts: ReplaceParts): Steps<FactsChange> {
  const { ledger, newer } = parts
  const change = newChange()
  // What is done here is no news; what comes between the steps is.
  ledger.touched = undefined
  for (const step of replacing({ ...parts, change })) {
    if (step % ENTRIES_PER_STEP !== 0) continue
    ledger.touched = newer
    yield
    ledger.touched = undefined
  }
  ledger.scheduleExpiry()
  settleReplaced({ ...parts, change })
  return change
}

/** Who was replaced before the snapshot was asked for is gone, unless it is listed (or awaited yet). */
function settleReplaced({ ledger, snapshot, newer, change }: Replacement): void {
  const { replaced } = ledger
  if (replaced.length === 0) return
  const registered = new Set(snapshot.agents.map(({ id }) => id))
  const awaited = new Set(snapshot.recoveredAgents.map(({ id }) => id))
  for (const id of replaced) {
    if (newer.agents.has(id) || awaited.has(id)) continue
    if (registered.has(id)) ledger.acquit(id)
    else ledger.gone(id, change)
  }
}

/** @returns a number for each entry that was looked at */
function* replacing(replacement: Replacement): Generator<number, void, undefined> {
  const { ledger, snapshot, change } = replacement
  let count = 0
  for (const _ of replaceAgents(replacement)) yield ++count
  for (const { id } of unlisted(replacement)) {
    ledger.hint(id, change)
    ledger.agents.delete(id)
  }
  const listed = new Set<TaskKey>()
  for (const tasks of [snapshot.unreachableTasks, snapshot.tasks]) {
    for (const entry of tasks) {
      replaceTask(entry, listed, replacement)
      yield ++count
    }
  }
  for (const [key, { agentId }] of ledger.tasks.all) {
    if (!listed.has(key)) unlist(key, agentId, replacement)
    yield ++count
  }
}

function* replaceAgents(replacement: Replacement): Steps<void> {
  const { ledger, snapshot, awaitedUntilMs, newer, change } = replacement
  for (const entry of snapshot.agents) {
    yield
    if (newer.agents.has(entry.id)) continue
    const agent = registeredAgent(entry)
    const rival = ledger.agents.rivalOf(agent)
    if (rival !== undefined && newer.agents.has(rival.id)) continue
    if (!isSameAgent(ledger.agents.get(entry.id), agent)) ledger.register(agent, change)
  }
  for (const entry of snapshot.recoveredAgents) {
    yield
    if (newer.agents.has(entry.id)) continue
    const known = ledger.agents.get(entry.id)
    const agent = awaitedAgent(entry, known, awaitedUntilMs)
    if (ledger.agents.rivalOf(agent) === undefined) ledger.agents.set(agent)
  }
}

function replaceTask(entry: SnapshotTask, listed: Set<TaskKey>, replacement: Replacement): void {
  const { ledger, newer, change } = replacement
  const { agentId } = entry
  const key = taskKeyOf(entry.frameworkId, entry.taskId)
  const isGone = newer.agents.has(agentId) && ledger.agents.get(agentId) === undefined
  if (newer.tasks.has(key) || isGone || isTerminal(entry.state)) return
  listed.add(key)
  if (isSameTask(ledger.tasks.get(key), entry)) return
  ledger.put(key, entry)
  ledger.hint(agentId, change)
}

function unlist(key: TaskKey, agentId: string, replacement: Replacement): void {
  const { ledger, newer, change } = replacement
  if (newer.tasks.has(key)) return
  if (ledger.agents.get(agentId)?.awaitedUntilMs !== undefined) ledger.carried.add(key)
  else {
    ledger.hint(agentId, change)
    ledger.removeTask(key)
  }
}

/** Agents that the snapshot lacks: unreachable, or removed while nobody listened. */
function unlisted({ ledger, snapshot, newer }: Replacement): readonly MasterAgent[] {
  const idOf = ({ id }: SnapshotAgent): string => id
  const listed = new Set([...snapshot.agents.map(idOf), ...snapshot.recoveredAgents.map(idOf)])
  return [...ledger.agents.all.values()].filter(
    ({ id }) => !listed.has(id) && !newer.agents.has(id),
  )
}
