/** The seam to what is tested: it hears bytes and says who runs where. */
import type { Ear } from './listener.ts'

/** A task as the subject knows it. */
export interface KnownTask {
  readonly agentId: string
  /** E.g. `TASK_RUNNING`. */
  readonly state: string | undefined
}

/** What is tested. */
export interface Subject {
  readonly ear: Ear
  /** Time begins. */
  starts(nowMs: () => number): void
  /** Tasks that have not ended, by `<framework id>/<task id>`. */
  tasks(): ReadonlyMap<string, KnownTask>
  /** Addresses of agents by id; at least of those that are registered. */
  agents(): ReadonlyMap<string, string | undefined>
  /** Agents that the subject holds to be gone for good. */
  goneAgents(): ReadonlySet<string>
}

/** Makes one for a run. */
export type OpenSubject = () => Subject
