/** Addresses that names had before: what still knows them is served there for a while. */
import type { Ip } from '../../model/ip.ts'

interface Former {
  readonly name: string
  readonly untilMs: number
}

/** Keeps them for a while, each for the last name that had it. */
export class FormerAddresses {
  readonly #keepMs: number
  /** In the order in which they end. */
  readonly #byAddress = new Map<Ip, Former>()
  readonly #byName = new Map<string, Set<Ip>>()

  /** @param keepMs how long an address is kept; 0: not at all */
  constructor(keepMs: number) {
    this.#keepMs = keepMs
  }

  /** The name moved away from the address. */
  add(address: Ip, name: string, nowMs: number): void {
    if (this.#keepMs === 0) return
    this.delete(address)
    this.#byAddress.set(address, { name, untilMs: nowMs + this.#keepMs })
    this.#byName.set(name, (this.#byName.get(name) ?? new Set()).add(address))
  }

  /** The addresses that the name had. */
  of(name: string): Iterable<Ip> {
    return this.#byName.get(name) ?? []
  }

  /** Forgets an address. @returns the name that had it */
  delete(address: Ip): string | undefined {
    const name = this.#byAddress.get(address)?.name
    if (name === undefined) return undefined
    this.#byAddress.delete(address)
    const addresses = this.#byName.get(name)
    addresses?.delete(address)
    if (addresses?.size === 0) this.#byName.delete(name)
    return name
  }

  /** When the next address was kept for long enough; Infinity: there is none. */
  get nextDueMs(): number {
    const [first] = this.#byAddress.values()
    return first?.untilMs ?? Number.POSITIVE_INFINITY
  }

  /** Forgets what was kept for long enough. @returns names that had those addresses */
  expire(nowMs: number): readonly string[] {
    const names: string[] = []
    for (const [address, { name, untilMs }] of this.#byAddress) {
      if (untilMs > nowMs) break
      this.delete(address)
      names.push(name)
    }
    return names
  }
}
