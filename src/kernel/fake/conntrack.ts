/**
 * The connection tracking of a network namespace in memory, for tests. The contract suite runs
 * against it and against the kernel.
 *
 * Not modelled: packets, and time; {@link FakeConntrack.insert} makes connections.
 */
import {
  type Conntrack,
  type ConntrackEntry,
  type ConntrackFlow,
  type ConntrackTuple,
  isOfFlow,
} from '../conntrack.ts'

/** Both directions of an entry, by which the kernel knows it. */
function directionsOf({ protocol, original, reply }: ConntrackEntry): string[] {
  return [original, reply].map((tuple) => `${protocol} ${JSON.stringify(tuple)}`)
}

/** Connections that a test makes. */
export class FakeConntrack implements Conntrack {
  #entries: readonly ConntrackEntry[] = []

  /** Every connection. */
  get all(): readonly ConntrackEntry[] {
    return this.#entries
  }

  /** Adds a connection. */
  insert(entry: ConntrackEntry): void {
    this.#entries = [...this.#entries, entry]
  }

  async entries(flows: readonly ConntrackFlow[]): Promise<readonly ConntrackEntry[]> {
    return this.#entries.filter((entry) => flows.some((flow) => isOfFlow(entry, flow)))
  }

  async delete(flows: readonly ConntrackFlow[]): Promise<number> {
    const before = this.#entries.length
    this.#entries = this.#entries.filter((entry) => !flows.some((flow) => isOfFlow(entry, flow)))
    return before - this.#entries.length
  }

  async track(connections: readonly ConntrackTuple[], timeoutSeconds: number): Promise<number> {
    const before = this.#entries.length
    for (const original of connections) {
      const { source, destination } = original
      const reply = { source: destination, destination: source }
      const entry: ConntrackEntry = { protocol: 'tcp', original, reply, timeoutSeconds }
      const taken = new Set(this.#entries.flatMap(directionsOf))
      if (directionsOf(entry).every((direction) => !taken.has(direction))) this.insert(entry)
    }
    return this.#entries.length - before
  }
}
