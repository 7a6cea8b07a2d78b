/** One host of a simulated Mesos: the sockets of its agent and its master, while these run. */
import { readFile } from 'node:fs/promises'
import type { Server } from 'node:net'
import { readCapture } from '../../agent/capture.ts'
import type { SimulatedAgent } from '../agent.ts'
import { AgentServer, type ServedAgent } from '../agent-server.ts'
import type { ListenPlace } from '../listening.ts'
import { MasterServer, type MasterServerOptions } from '../master-server.ts'
import type { MesosPlace } from './instruction.ts'

/** Opens sockets on the addresses, e.g. `127.0.0.1:5051`, in the namespace. */
export type OpenSockets = (
  namespacePath: string,
  addresses: readonly string[],
) => Promise<readonly Server[]>

/** What a host works with. */
export interface MesosHostParts {
  readonly place: MesosPlace
  readonly agent: SimulatedAgent
  /** How its master answers; undefined: it has none. */
  readonly master: Pick<MasterServerOptions, 'role' | 'addressOf'> | undefined
  readonly openSockets: OpenSockets
}

const MASTER_PORT = 5050

/** A host; nothing listens before {@link MesosHost.switchOn}. */
export class MesosHost {
  readonly place: MesosPlace
  readonly agent: SimulatedAgent
  readonly #parts: MesosHostParts
  #agentServer: AgentServer | undefined
  #masterServer: MasterServer | undefined

  constructor(parts: MesosHostParts) {
    this.#parts = parts
    this.place = parts.place
    this.agent = parts.agent
  }

  /** Where its master is, also while that does not run. */
  get masterAddress(): string {
    return this.#masterServer?.address ?? `${this.place.ip}:${MASTER_PORT}`
  }

  /** Where its agent listens; undefined while it does not run. */
  get agentUrl(): string | undefined {
    return this.#agentServer?.url
  }

  get hasRunningMaster(): boolean {
    return this.#masterServer !== undefined
  }

  /** Agent and master begin to listen. */
  async switchOn(): Promise<void> {
    const { place, openSockets } = this.#parts
    const [agent, master] = await openSockets(place.namespacePath, [
      `127.0.0.1:${this.agent.port}`,
      ...(place.hasMaster ? [`${place.ip}:${MASTER_PORT}`] : []),
    ])
    const served = await servedAgent(this.agent, place.stateFile)
    if (agent !== undefined) this.#agentServer = await AgentServer.listen(served, agent)
    if (master !== undefined) await this.#serveMaster(master)
  }

  /** Nobody listens any more. */
  async switchOff(): Promise<void> {
    await Promise.all([this.#agentServer?.close(), this.endMaster()])
    this.#agentServer = undefined
  }

  /** The master alone begins to listen; nothing when it does. */
  async startMaster(): Promise<void> {
    if (this.hasRunningMaster) return
    const { place, openSockets } = this.#parts
    const [master] = await openSockets(place.namespacePath, [`${place.ip}:${MASTER_PORT}`])
    if (master !== undefined) await this.#serveMaster(master)
  }

  /** Its process ends. */
  async endMaster(): Promise<void> {
    const server = this.#masterServer
    this.#masterServer = undefined
    await server?.close()
  }

  async #serveMaster(listen: ListenPlace): Promise<void> {
    const { master } = this.#parts
    if (master !== undefined) this.#masterServer = await MasterServer.listen({ ...master, listen })
  }
}

/** The agent as it is, or as a capture has it. */
async function servedAgent(
  agent: SimulatedAgent,
  stateFile: string | undefined,
): Promise<ServedAgent> {
  if (stateFile === undefined) return agent
  const captured = readCapture(await readFile(stateFile, 'utf8'), 'marathon')
  return {
    isRecovering: false,
    get state() {
      return { ...agent.state, ...captured, agentIp: agent.ip, hostname: agent.hostname }
    },
  }
}
