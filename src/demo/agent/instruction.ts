import type { SimulatedTask, TaskState } from './task.ts'

/** What a demo tells the simulated agent of a host, as one line of JSON. */
export type AgentInstruction =
  | { readonly kind: 'add'; readonly task: SimulatedTask }
  | { readonly kind: 'state'; readonly taskId: string; readonly state: TaskState }
  | { readonly kind: 'health'; readonly taskId: string; readonly isHealthy: boolean }
  | { readonly kind: 'remove'; readonly taskId: string }
