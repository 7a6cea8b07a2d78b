/** The one master of a demo: a simulated cluster under the machine's clock, told by instructions. */
import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'
import type { Closeable } from '../../base/scope.ts'
import type { SimulatedAgent } from './agent.ts'
import { SimulatedCluster } from './cluster.ts'
import type { MasterInstruction } from './instruction.ts'
import { MasterServer } from './master-server.ts'
import { scheduleOf } from './schedule.ts'

/** How it runs. */
export interface DemoMasterOptions {
  readonly clock: Clock
  readonly random: Random
  readonly listen?: { readonly host?: string; readonly port?: number }
}

/** As the simulated agents of a demo name the framework of their tasks. */
const FRAMEWORK_ID = '5f3d1f0e-0000-4000-8000-000000000000-0001'
const HEALTH = 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED'

/** A master; {@link DemoMaster.open} starts it. */
export class DemoMaster implements Closeable {
  readonly #cluster: SimulatedCluster
  readonly #server: MasterServer
  readonly #ended: AbortController

  private constructor(cluster: SimulatedCluster, server: MasterServer, ended: AbortController) {
    this.#cluster = cluster
    this.#server = server
    this.#ended = ended
  }

  /** Starts a master that leads at once, with the framework `marathon`. */
  static async open({ clock, random, listen = {} }: DemoMasterOptions): Promise<DemoMaster> {
    const ended = new AbortController()
    const schedule = scheduleOf(clock, ended.signal)
    const cluster = new SimulatedCluster({ world: { schedule, random }, version: '1.11' })
    const addressOf = (): string => server.address
    const server = await MasterServer.listen({ role: () => cluster.roleOf(0), addressOf, listen })
    // Before the election: it subscribes as soon as there is a leader.
    cluster.addFramework({ id: FRAMEWORK_ID, name: 'marathon' })
    cluster.elect(0, { recoveryMs: 0, returnWithinMs: 0 })
    return new DemoMaster(cluster, server, ended)
  }

  /** E.g. `http://127.0.0.1:40123`. */
  get url(): string {
    return `http://${this.#server.address}`
  }

  /** Does what it is told. @returns a task's id for `add`, else `done` */
  follow(instruction: MasterInstruction): string {
    switch (instruction.kind) {
      case 'agent':
        this.#cluster.addAgent({ ip: instruction.ip })
        return 'done'
      case 'add':
        return this.#launch(instruction)
      case 'state':
        this.#report(instruction.taskId, { state: instruction.state })
        return 'done'
      case 'health':
        this.#report(instruction.taskId, {
          state: 'TASK_RUNNING',
          isHealthy: instruction.isHealthy,
          reason: HEALTH,
        })
        return 'done'
      case 'cut':
        this.#cluster.cut(this.#agent(instruction.ip))
        return 'done'
      case 'heal':
        this.#cluster.heal(this.#agent(instruction.ip))
        return 'done'
      case 'gone':
        this.#cluster.master?.markGone(this.#agent(instruction.ip).id ?? '')
        return 'done'
      case 'fail':
        this.#cluster.failLeader()
        this.#cluster.elect(0)
        return 'done'
      default:
        throw new Error(`not understood: ${JSON.stringify(instruction satisfies never)}`)
    }
  }

  async close(): Promise<void> {
    this.#ended.abort()
    await this.#server.close()
  }

  #launch({ ip, task }: Extract<MasterInstruction, { kind: 'add' }>): string {
    const pace = { startingMs: 0, runningMs: 0 }
    const place = { agent: this.#agent(ip), frameworkId: FRAMEWORK_ID, pace }
    const key = this.#cluster.launch(task, place)
    if (key === undefined) throw new Error(`${task.name} cannot be launched on ${ip} now`)
    return key.slice(FRAMEWORK_ID.length + 1)
  }

  #report(taskId: string, report: Parameters<SimulatedAgent['tasks']['report']>[1]): void {
    const key = `${FRAMEWORK_ID}/${taskId}`
    const agent = this.#cluster.agentOf(key)
    if (agent === undefined) throw new Error(`no agent has the task ${taskId}`)
    agent.tasks.report(key, report)
  }

  #agent(ip: string): SimulatedAgent {
    const agent = this.#cluster.agents.find((known) => known.ip === ip)
    if (agent === undefined) throw new Error(`there is no agent ${ip}`)
    return agent
  }
}
