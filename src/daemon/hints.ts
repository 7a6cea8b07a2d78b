/** Brings what the masters say about an agent to the node that polls it. */
import type { Scope } from '../base/scope.ts'
import type { Gossip } from '../gossip/gossip.ts'
import type { FollowedMasters, Mesos } from '../mesos/mesos.ts'
import type { Ip } from '../model/ip.ts'
import { FewPerTurn } from './few-per-turn.ts'

/** Who says and who is told. */
export interface HintParts {
  readonly masters: Pick<FollowedMasters, 'onHint'>
  readonly mesos: Pick<Mesos, 'agentIp' | 'pollSoon'>
  readonly gossip: Pick<Gossip, 'hint'>
  /** This node's address, which may be another than its agent's. */
  readonly nodeIp: () => Ip | undefined
  /** Ends the forwarding. */
  readonly scope: Scope
}

/** Forwards hints until the scope ends. */
export function forwardHints({ masters, mesos, gossip, nodeIp, scope }: HintParts): void {
  const waiting = new FewPerTurn(scope)
  const unlisten = masters.onHint((address) => {
    if (address === mesos.agentIp() || address === nodeIp()) mesos.pollSoon()
    else waiting.add(address, () => gossip.hint(address))
  })
  scope.defer(unlisten)
}
