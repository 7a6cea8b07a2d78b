/** The Mesos of a demo, as the demo sees it: a process of its own that simulates all of it. */
import type { ChildProcess } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { SimulatedTask, TaskState } from '../../agent/task.ts'
import { demoProgram, firstLine, spawnOnHost } from '../../host/host-process.ts'
import type { DemoPlaces } from '../../places/places.ts'
import type {
  MesosAnswer,
  MesosInstruction,
  MesosOutcome,
  MesosPlace,
  MesosRequest,
} from './instruction.ts'

/** A task that runs. */
export interface StartedTask {
  readonly taskId: string
  /** Since when, by the machine's monotonic clock. */
  readonly runningMs: number
}

/** Where daemons find a master on its host. */
export const MASTER_PORT = 5050

interface Waiting {
  readonly resolve: (outcome: MesosOutcome) => void
  readonly reject: (error: Error) => void
}

/** A running simulator; {@link DemoMesos.start} starts it. */
export class DemoMesos {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  /** Starts the simulator, in a cgroup beside those of the hosts; the fabric is there already. */
  static async start(demo: DemoPlaces): Promise<DemoMesos> {
    const places = { ...demo.host('mesos'), namespace: demo.fabric }
    await mkdir(places.cgroup, { recursive: true })
    const child = spawnOnHost(places, demoProgram('mesos/hosted/main.ts'))
    await firstLine(child, 'ready')
    const mesos = new DemoMesos(child)
    child.stdin?.on('error', () => undefined) // its exit tells
    child.once('exit', (code, signal) => mesos.#fail(`ended with ${code ?? signal}`))
    if (child.stdout !== null) {
      const lines = createInterface({ input: child.stdout })
      lines.on('line', (line) => mesos.#hear(JSON.parse(line) as MesosAnswer))
    }
    return mesos
  }

  /** A host joins: its agent listens on 127.0.0.1:5051, its master on its address. */
  async addHost(place: MesosPlace): Promise<void> {
    await this.#tell({ kind: 'host', place })
  }

  /** The host loses power or has it again. */
  async power(ip: string, state: 'on' | 'off'): Promise<void> {
    await this.#tell({ kind: state, ip })
  }

  /** The master's process on a host ends. */
  async endMaster(ip: string): Promise<void> {
    await this.#tell({ kind: 'end-master', ip })
  }

  /** It starts again. */
  async startMaster(ip: string): Promise<void> {
    await this.#tell({ kind: 'start-master', ip })
  }

  /** Hosts of different sides do not hear each other; none: all hear all. */
  async cut(sides: readonly (readonly string[])[]): Promise<void> {
    await this.#tell({ kind: 'sides', sides })
  }

  /** The framework launches a task on the host's agent. @returns once it runs */
  async launch(ip: string, task: SimulatedTask): Promise<StartedTask> {
    const { taskId = '', runningMs = 0 } = await this.#tell({ kind: 'launch', ip, task })
    return { taskId, runningMs }
  }

  /** The task's executor reports to the agent. */
  async report(taskId: string, state: TaskState, isHealthy?: boolean): Promise<void> {
    const health = isHealthy === undefined ? {} : { isHealthy }
    await this.#tell({ kind: 'report', taskId, state, ...health })
  }

  /** The framework kills the task. @returns once the agent has forgotten it */
  async kill(taskId: string): Promise<void> {
    await this.#tell({ kind: 'kill', taskId })
  }

  /** The address of the host whose master leads; undefined while nobody does. */
  async leader(): Promise<string | undefined> {
    return (await this.#tell({ kind: 'leader' })).leader
  }

  async #tell(instruction: MesosInstruction): Promise<MesosOutcome> {
    const { promise, resolve, reject } = Promise.withResolvers<MesosOutcome>()
    const id = ++this.#lastId
    this.#waiting.set(id, { resolve, reject })
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) this.#fail('has ended')
    const request: MesosRequest = { id, instruction }
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`)
    return promise
  }

  #hear({ id, outcome, problem }: MesosAnswer): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (problem === undefined) waiting?.resolve(outcome)
    else waiting?.reject(new Error(`the simulated Mesos says: ${problem}`))
  }

  #fail(how: string): void {
    for (const { reject } of this.#waiting.values()) {
      reject(new Error(`the simulated Mesos ${how}`))
    }
    this.#waiting.clear()
  }
}
