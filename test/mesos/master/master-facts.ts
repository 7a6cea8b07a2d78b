import type { MasterFacts } from '../../../src/mesos/master/facts.ts'
import type { FactsChange } from '../../../src/mesos/master/ledger.ts'
import type { MasterEvent } from '../../../src/mesos/master/master-event.ts'
import type { Snapshot, SnapshotAgent, SnapshotTask } from '../../../src/mesos/snapshot/snapshot.ts'

/** `web.1` of framework `f` on agent `A`. */
export function task(parts: Partial<SnapshotTask> = {}): SnapshotTask {
  return { frameworkId: 'f', taskId: 'web.1', agentId: 'A', state: 'TASK_RUNNING', ...parts }
}

/** Agent `A` at 10.0.0.1. */
export function agent(id = 'A', host = 1, port = 5051): SnapshotAgent {
  const hostname = `10.0.0.${host}`
  return { id, hostname, pid: `slave(1)@${hostname}:${port}`, port }
}

/** As a recovered agent is listed. */
export function awaited(id = 'A', host = 1): SnapshotAgent {
  return { ...agent(id, host), pid: undefined }
}

/** A snapshot with these parts. */
export function snapshot(parts: Partial<Snapshot> = {}): Snapshot {
  return {
    tasks: [],
    unreachableTasks: [],
    agents: [],
    recoveredAgents: [],
    frameworks: [],
    heartbeatIntervalMs: 15_000,
    malformed: 0,
    ...parts,
  }
}

/** The event that tells a task. */
export function taskTold(parts: Partial<SnapshotTask> = {}): MasterEvent {
  return { kind: 'task', ...task(parts) }
}

/** The event that tells an agent. */
export function agentTold(id = 'A', host = 1, port = 5051): MasterEvent {
  return { kind: 'agent', agent: agent(id, host, port) }
}

/** What is known, in short: tasks with their states, agents with their addresses. */
export function known({ tasks, agents }: Pick<MasterFacts, 'tasks' | 'agents'>): unknown {
  return {
    tasks: Object.fromEntries(
      [...tasks].map(([key, { agentId, state }]) => [key, `${state} on ${agentId}`]).sort(),
    ),
    agents: Object.fromEntries([...agents.values()].map(({ id, address }) => [id, address]).sort()),
  }
}

/** A change, in short. */
export function said({ hints, gone }: FactsChange): unknown {
  return {
    hints: [...hints].sort(),
    gone: gone.map(
      ({ agentId, isAddressInUse }) => `${agentId}${isAddressInUse ? ' replaced' : ''}`,
    ),
  }
}
