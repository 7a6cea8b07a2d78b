/** Brings what the masters say about an agent to the node that polls it. */
import type { Gossip } from '../gossip/gossip.ts'
import type { FollowedMasters, Mesos } from '../mesos/mesos.ts'
import type { Ip } from '../model/ip.ts'

/** Who says and who is told. */
export interface HintParts {
  readonly masters: Pick<FollowedMasters, 'onHint'>
  readonly mesos: Pick<Mesos, 'agentIp' | 'pollSoon'>
  readonly gossip: Pick<Gossip, 'hint'>
  /** This node's address, which may be another than its agent's. */
  readonly nodeIp: () => Ip | undefined
}

/** Forwards hints from now on. @returns a function that ends it */
export function forwardHints({ masters, mesos, gossip, nodeIp }: HintParts): () => void {
  return masters.onHint((address) => {
    if (address === mesos.agentIp() || address === nodeIp()) mesos.pollSoon()
    else gossip.hint(address)
  })
}
