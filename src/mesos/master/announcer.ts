import type { Ip } from '../../model/ip.ts'
import type { MasterFacts } from './facts.ts'
import type { HostNames } from './host-names.ts'
import type { FactsChange, GoneAgent } from './ledger.ts'

/** Something of a task on the agent at this address changed, or of the agent itself. */
export type HintListener = (agentAddress: Ip) => void

/** The agent never comes back under its id; `isAddressInUse`: but another one is there already. */
export type GoneListener = (agentId: string, address: Ip, isAddressInUse: boolean) => void

/** Tells listeners what changed, once the address of the agent concerned is known. */
export class Announcer {
  readonly #facts: MasterFacts
  readonly #names: HostNames
  readonly #hintListeners = new Set<HintListener>()
  readonly #goneListeners = new Set<GoneListener>()

  constructor(facts: MasterFacts, names: HostNames) {
    this.#facts = facts
    this.#names = names
  }

  onHint(listener: HintListener): () => void {
    return listen(this.#hintListeners, listener)
  }

  onGone(listener: GoneListener): () => void {
    return listen(this.#goneListeners, listener)
  }

  announce({ hints, named, gone }: FactsChange): void {
    for (const address of hints) this.#hint(address)
    for (const hostname of named) this.#names.whenKnown(hostname, (address) => this.#hint(address))
    for (const agent of gone) this.#goneAgent(agent)
  }

  #hint(address: Ip): void {
    for (const listener of this.#hintListeners) listener(address)
  }

  #goneAgent({ agentId, hostname, address, isAddressInUse }: GoneAgent): void {
    const tell = (at: Ip, isInUse: boolean) => {
      for (const listener of this.#goneListeners) listener(agentId, at, isInUse)
    }
    if (address !== undefined) tell(address, isAddressInUse)
    else this.#names.whenKnown(hostname, (found) => tell(found, this.#isInUse(found, hostname)))
  }

  #isInUse(address: Ip, hostname: string): boolean {
    for (const agent of this.#facts.agents.values()) {
      if (agent.address === address || agent.hostname === hostname) return true
    }
    return false
  }
}

function listen<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}
