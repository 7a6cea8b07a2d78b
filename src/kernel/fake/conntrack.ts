/**
 * The connection tracking of a network namespace in memory, for tests. The contract suite runs
 * against it and against the kernel.
 *
 * Not modelled: packets, and time; {@link FakeConntrack.insert} makes connections.
 */
import { type Conntrack, type ConntrackEntry, type ConntrackFlow, isOfFlow } from '../conntrack.ts'

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
}
