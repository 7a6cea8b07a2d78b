import { type Ip, parseIp } from '../../model/ip.ts'
import { addressOfPid } from '../agent-address.ts'
import type { SnapshotAgent } from '../snapshot/snapshot.ts'

/** An agent as a master tells it. */
export interface MasterAgent {
  readonly id: string
  readonly hostname: string
  /** From its pid, else its host name where that is one; undefined for a name alone. */
  readonly address: Ip | undefined
  /** Where it serves, e.g. `10.0.0.1:5051`: two agents cannot both be there. */
  readonly place: string | undefined
  /** Known from before a fail-over, not back yet: `Clock.nowMs` when we stop waiting for it. */
  readonly awaitedUntilMs: number | undefined
}

/** Agents by id and by place. */
export class KnownAgents {
  readonly #agents = new Map<string, MasterAgent>()
  readonly #atPlace = new Map<string, string>()

  get all(): ReadonlyMap<string, MasterAgent> {
    return this.#agents
  }

  /** How many places are taken. */
  get placeCount(): number {
    return this.#atPlace.size
  }

  get(id: string): MasterAgent | undefined {
    return this.#agents.get(id)
  }

  /** Another agent than this where it serves. */
  rivalOf({ id, place }: MasterAgent): MasterAgent | undefined {
    const rival = place === undefined ? undefined : this.#atPlace.get(place)
    return rival === undefined || rival === id ? undefined : this.#agents.get(rival)
  }

  /** Whether any agent has the address, whatever its port. */
  hasAddress(address: Ip): boolean {
    for (const agent of this.#agents.values()) if (agent.address === address) return true
    return false
  }

  set(agent: MasterAgent): void {
    this.delete(agent.id)
    this.#agents.set(agent.id, agent)
    if (agent.place !== undefined) this.#atPlace.set(agent.place, agent.id)
  }

  delete(id: string): void {
    const place = this.#agents.get(id)?.place
    this.#agents.delete(id)
    if (place !== undefined && this.#atPlace.get(place) === id) this.#atPlace.delete(place)
  }
}

/** A registered agent. */
export function registeredAgent({ id, hostname, pid = '', port }: SnapshotAgent): MasterAgent {
  const fromPid = addressOfPid(pid)
  const address = fromPid ?? parseIp(hostname)
  const ownPort = fromPid === undefined ? String(port) : pid.slice(pid.lastIndexOf(':') + 1)
  const place = address === undefined ? undefined : `${address}:${ownPort}`
  return { id, hostname, address, place, awaitedUntilMs: undefined }
}

/** An agent that the master waits for: it tells no pid, so what was known of it stays. */
export function awaitedAgent(
  entry: SnapshotAgent,
  known: MasterAgent | undefined,
  awaitedUntilMs: number,
): MasterAgent {
  const told = registeredAgent(entry)
  const address = known?.address ?? told.address
  return { ...told, address, place: known?.place ?? told.place, awaitedUntilMs }
}

/** Whether a registered agent is known already, as registered. */
export function isSameAgent(known: MasterAgent | undefined, told: MasterAgent): boolean {
  return (
    known !== undefined &&
    known.awaitedUntilMs === undefined &&
    known.place === told.place &&
    known.hostname === told.hostname
  )
}
