/** One probe: rounds of pings, direct and through relays, until an answer or enough evidence. */
import type { NodeId } from '../../../model/node-id.ts'
import type { Timer } from '../timers.ts'

/** A probe that is under way. */
export interface Probe {
  readonly node: NodeId
  /** Sequences of its pings and ping requests. */
  readonly sequences: number[]
  round: number
  evidence: number
  /** Relays asked in this round that have not reported, and that reported a silence. */
  silentRelays: number
  nacks: number
  /** Whether any relay has reported anything in any round. */
  hasRelayReport: boolean
  hasAskedRelays: boolean
  timer: Timer | undefined
}

/** Begins a probe. */
export function newProbe(node: NodeId): Probe {
  return {
    node,
    sequences: [],
    round: 0,
    evidence: 0,
    silentRelays: 0,
    nacks: 0,
    hasRelayReport: false,
    hasAskedRelays: false,
    timer: undefined,
  }
}
