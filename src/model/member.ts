import type { Endpoint } from './endpoint.ts'
import type { NodeId } from './node-id.ts'

/**
 * How a node stands in the eyes of this one. `doubted`: silent on good evidence, takes no new
 * connections, reversible; `dead`: doubted for long; `left`: said so itself.
 */
export type MemberState = 'alive' | 'doubted' | 'dead' | 'left'

/** A node as this one knows it. */
export interface Member {
  readonly id: NodeId
  /** Where its gossip listens. */
  readonly endpoint: Endpoint
  readonly state: MemberState
  /** Grows when the node starts, refutes a doubt, moves or leaves. */
  readonly incarnation: number
  readonly isSelf: boolean
  /** It is to be forgotten once it is dead: somebody said that it does not come back. */
  readonly isEvicted?: true
  /** Smoothed round-trip time; undefined until it was probed. */
  readonly rttMs?: number
  /** The version of its records that is held here; 0: nothing yet. */
  readonly heldVersion: number
  /** The highest version that was heard of; above {@link heldVersion} something is missing. */
  readonly knownVersion: number
  readonly recordCount: number
}
