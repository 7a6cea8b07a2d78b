/** What of a master's state is kept: who runs where. Everything else is passed over unread. */

/** A task of a snapshot. */
export interface SnapshotTask {
  readonly frameworkId: string
  readonly taskId: string
  readonly agentId: string
  /** E.g. `TASK_RUNNING`; undefined when this version of Mesos says one that we do not know. */
  readonly state: string | undefined
}

/** A registered agent of a snapshot, or one that the master still waits for. */
export interface SnapshotAgent {
  readonly id: string
  readonly hostname: string
  /** E.g. `slave(1)@10.0.0.1:5051`; a recovered agent has none. */
  readonly pid: string | undefined
  readonly port: number
}

/** A framework of a snapshot. */
export interface SnapshotFramework {
  readonly id: string
  readonly name: string
}

/** The state of a master, reduced. */
export interface Snapshot {
  /** All but the completed and the unreachable; terminal ones that wait for acknowledgement too. */
  readonly tasks: readonly SnapshotTask[]
  readonly unreachableTasks: readonly SnapshotTask[]
  readonly agents: readonly SnapshotAgent[]
  /** Known from before the fail-over, not back yet. */
  readonly recoveredAgents: readonly SnapshotAgent[]
  readonly frameworks: readonly SnapshotFramework[]
  /** How often the master promises to be heard; undefined up to Mesos 1.4. */
  readonly heartbeatIntervalMs: number | undefined
  /** Entries left out since they lack an id. */
  readonly malformed: number
}
