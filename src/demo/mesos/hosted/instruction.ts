/** What a demo tells the process that simulates its Mesos, and what that answers: lines of JSON. */
import type { SimulatedTask, TaskState } from '../../agent/task.ts'

/** A host with an agent, and perhaps with a master. */
export interface MesosPlace {
  readonly ip: string
  /** Of its network namespace, in which agent and master listen. */
  readonly namespacePath: string
  readonly hasMaster: boolean
  /** A captured state that the agent shows instead of its own. */
  readonly stateFile?: string
}

/** Something to do. */
export type MesosInstruction =
  /** A host joins. */
  | { readonly kind: 'host'; readonly place: MesosPlace }
  /** The host loses power, and with it all that ran; or has it again. */
  | { readonly kind: 'off' | 'on'; readonly ip: string }
  /** The master's process on the host ends; or it starts anew, with nothing but the registry. */
  | { readonly kind: 'end-master' | 'start-master'; readonly ip: string }
  /** Hosts of different sides, by address, do not hear each other; no sides: all hear all. */
  | { readonly kind: 'sides'; readonly sides: readonly (readonly string[])[] }
  /** The framework launches a task on the host; done when it runs. */
  | { readonly kind: 'launch'; readonly ip: string; readonly task: SimulatedTask }
  /** The task's executor reports. */
  | {
      readonly kind: 'report'
      readonly taskId: string
      readonly state: TaskState
      readonly isHealthy?: boolean
    }
  /** The framework kills a task; done when the agent has forgotten it. */
  | { readonly kind: 'kill'; readonly taskId: string }
  /** Who leads? */
  | { readonly kind: 'leader' }

/** What came of it. */
export interface MesosOutcome {
  /** Of a launched task. */
  readonly taskId?: string
  /** When it ran, by the machine's monotonic clock. */
  readonly runningMs?: number
  /** Address of the leading master's host. */
  readonly leader?: string
}

/** A line to the simulator. */
export interface MesosRequest {
  readonly id: number
  readonly instruction: MesosInstruction
}

/** A line from it; answers come in any order. */
export interface MesosAnswer {
  readonly id: number
  readonly outcome: MesosOutcome
  /** Why it was not done. */
  readonly problem?: string
}
