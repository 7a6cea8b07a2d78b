import type { JsonMessage } from './json.ts'

/** An agent as its API shows it; every message in its v1 form. */
export interface AgentState {
  readonly agentId: string
  readonly agentIp: string
  readonly hostname: string
  readonly port: number
  /** FrameworkInfo messages. */
  readonly frameworks: readonly JsonMessage[]
  /** Task messages by list, as in GetTasks. */
  readonly tasks: {
    readonly queued: readonly JsonMessage[]
    readonly launched: readonly JsonMessage[]
    readonly terminated: readonly JsonMessage[]
    readonly completed: readonly JsonMessage[]
  }
}

/** What a capture tells; where the agent is not in it, the simulator's stands. */
export type CapturedState = Pick<AgentState, 'frameworks' | 'tasks'> &
  Partial<Pick<AgentState, 'agentId' | 'agentIp' | 'hostname'>>

/** `{ value: id }` of an id message. */
export function idOf(message: JsonMessage | undefined, field: string): string {
  const id = (message?.[field] as JsonMessage | undefined)?.['value']
  return typeof id === 'string' ? id : ''
}
