/** A simulated cluster whose masters listen on ports of 127.0.0.1: for tests over real sockets. */
import { seededRandom } from '../../../src/base/random.ts'
import { SimulatedCluster } from '../../../src/demo/mesos/cluster.ts'
import { MasterServer } from '../../../src/demo/mesos/master-server.ts'
import type { MesosVersion } from '../../../src/demo/mesos/rules.ts'
import type { Schedule } from '../../../src/demo/mesos/schedule.ts'
import { PROTOBUF_ENCODER, readProtobufCall } from './protobuf-encoder.ts'
import { VirtualSchedule } from './virtual-schedule.ts'

/** How it begins. */
export interface ServedClusterOptions {
  readonly version?: MesosVersion
  readonly masters?: number
  readonly agents?: number
  readonly seed?: number
  /** Default: a virtual one that {@link ServedCluster.runFor} moves. */
  readonly schedule?: Schedule
}

/** The id of the framework that is there from the start. */
export const FRAMEWORK_ID = '5f3d1f0e-0000-4000-8000-000000000001-0000'

/** A cluster with open ports. */
export class ServedCluster {
  readonly cluster: SimulatedCluster
  readonly servers: MasterServer[] = []
  readonly #virtual: VirtualSchedule | undefined

  private constructor({ version = '1.11', seed = 1, schedule }: ServedClusterOptions) {
    this.#virtual = schedule === undefined ? new VirtualSchedule() : undefined
    const used = schedule ?? (this.#virtual as VirtualSchedule)
    const world = { schedule: used, random: seededRandom(seed) }
    this.cluster = new SimulatedCluster({ world, version })
  }

  /** Master 0 leads, agents 10.0.0.1, 10.0.0.2, … are registered. */
  static async open(options: ServedClusterOptions = {}): Promise<ServedCluster> {
    const served = new ServedCluster(options)
    const addressOf = (index: number): string => served.servers[index]?.address ?? ''
    for (let index = 0; index < (options.masters ?? 3); index++) {
      const role = () => served.cluster.roleOf(index)
      const codecs = { encoders: [PROTOBUF_ENCODER], readCall: readProtobufCall }
      served.servers.push(await MasterServer.listen({ role, addressOf, ...codecs }))
    }
    const { cluster } = served
    cluster.elect(0, { recoveryMs: 0, returnWithinMs: 0 })
    served.runFor(1)
    cluster.addFramework({ id: FRAMEWORK_ID, name: 'marathon' })
    for (let index = 1; index <= (options.agents ?? 2); index++) {
      cluster.addAgent({ ip: `10.0.0.${index}` })
    }
    served.runFor(100)
    return served
  }

  /** E.g. `http://127.0.0.1:40123`. */
  url(index = 0): string {
    return `http://${this.server(index).address}`
  }

  server(index = 0): MasterServer {
    const server = this.servers[index]
    if (server === undefined) throw new Error(`there is no master ${index}`)
    return server
  }

  /** Lets virtual time pass. */
  runFor(durationMs: number): void {
    this.#virtual?.runFor(durationMs)
  }

  /** Launches a task that runs half a second later. @returns its key */
  launch(name: string, agentIndex = 0): string {
    const agent = this.cluster.agents[agentIndex]
    if (agent === undefined) throw new Error(`there is no agent ${agentIndex}`)
    const key = this.cluster.launch({ name }, { agent, frameworkId: FRAMEWORK_ID })
    if (key === undefined) throw new Error(`${name} cannot be launched`)
    return key
  }

  async close(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.close()))
  }
}
