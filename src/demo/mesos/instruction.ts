import type { SimulatedTask, TaskState } from '../agent/task.ts'

/** What a demo tells its simulated master, as one line of JSON. */
export type MasterInstruction =
  /** An agent joins. */
  | { readonly kind: 'agent'; readonly ip: string }
  /** A task is launched on the agent and reported running. */
  | { readonly kind: 'add'; readonly ip: string; readonly task: SimulatedTask }
  | { readonly kind: 'state'; readonly taskId: string; readonly state: TaskState }
  | { readonly kind: 'health'; readonly taskId: string; readonly isHealthy: boolean }
  /** The host loses power, or has it again. */
  | { readonly kind: 'cut' | 'heal'; readonly ip: string }
  /** The operator calls MARK_AGENT_GONE. */
  | { readonly kind: 'gone'; readonly ip: string }
  /** The master ends and begins anew, with nothing but its registry. */
  | { readonly kind: 'fail' }
