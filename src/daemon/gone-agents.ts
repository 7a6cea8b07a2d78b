/** Agents that are gone for good: their nodes are forgotten, or told when they live without one. */
import type { Scope } from '../base/scope.ts'
import type { Gossip } from '../gossip/gossip.ts'
import type { FollowedMasters, Mesos } from '../mesos/mesos.ts'
import type { Ip } from '../model/ip.ts'
import { FewPerTurn } from './few-per-turn.ts'

/** Who says and who is told. */
export interface GoneAgentParts {
  /** Undefined: this node follows none. */
  readonly masters: Pick<FollowedMasters, 'onGone'> | undefined
  readonly mesos: Pick<Mesos, 'agentIp' | 'agentGone'>
  readonly gossip: Pick<Gossip, 'agentGone' | 'onAgentGone'>
  /** This node's address, which may be another than its agent's. */
  readonly nodeIp: () => Ip | undefined
  /** Ends the forwarding. */
  readonly scope: Scope
}

/**
 * Forwards what the leading master says of agents that do not come back, and hears what the nodes
 * say that follow it. Several nodes that say the same at once do no harm. Where another agent is at
 * the address already, nothing is done.
 */
export function forwardGoneAgents(parts: GoneAgentParts): void {
  const { masters, mesos, gossip, nodeIp, scope } = parts
  scope.defer(gossip.onAgentGone((agent, from) => mesos.agentGone({ agent, by: `node ${from}` })))
  if (masters === undefined) return
  const waiting = new FewPerTurn(scope)
  const unlisten = masters.onGone((agent, address, isAddressInUse) => {
    if (isAddressInUse) return
    if (address === mesos.agentIp() || address === nodeIp()) {
      mesos.agentGone({ agent, by: 'the leading master' })
    } else waiting.add(`${address} ${agent}`, () => gossip.agentGone(address, agent))
  })
  scope.defer(unlisten)
}
