import type { Ip } from '../../model/ip.ts'
import { type AddressSpace, addressAt } from './address-space.ts'

/** Who has which address, and what changed. */
export class Placement {
  readonly #space: AddressSpace
  readonly #occupants = new Map<bigint, string>()
  readonly #addresses = new Map<string, Ip>()
  /** What names had at the last {@link Placement.takeMoved}. */
  readonly #before = new Map<string, Ip | undefined>()

  constructor(space: AddressSpace) {
    this.#space = space
  }

  get addresses(): ReadonlyMap<string, Ip> {
    return this.#addresses
  }

  /** Who has the address. */
  occupantOf(offset: bigint): string | undefined {
    return this.#occupants.get(offset)
  }

  /** Gives a name without an address one that is free. */
  put(name: string, offset: bigint): void {
    this.#note(name)
    this.#occupants.set(offset, name)
    this.#addresses.set(name, addressAt(offset, this.#space))
  }

  /** Takes a name's address away. */
  remove(name: string, offset: bigint): void {
    this.#note(name)
    this.#occupants.delete(offset)
    this.#addresses.delete(name)
  }

  /** Names whose address is another than at the last call. */
  takeMoved(): readonly string[] {
    const moved = [...this.#before].filter(([name, old]) => this.#addresses.get(name) !== old)
    this.#before.clear()
    return moved.map(([name]) => name)
  }

  #note(name: string): void {
    if (!this.#before.has(name)) this.#before.set(name, this.#addresses.get(name))
  }
}
