/** Brings what the masters say about an agent to the node that polls it. */
import type { Scope } from '../base/scope.ts'
import { endOfTurn } from '../base/turn.ts'
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
  /** Ends the forwarding. */
  readonly scope: Scope
}

/** A first snapshot names every agent of the cluster; to seal a datagram for each takes a while. */
const HINTS_PER_TURN = 16

/** Forwards hints until the scope ends, a few in each turn of the event loop. */
export function forwardHints({ masters, mesos, gossip, nodeIp, scope }: HintParts): void {
  const waiting = new Set<Ip>()
  let isForwarding = false
  const forward = async (signal: AbortSignal): Promise<void> => {
    while (waiting.size > 0 && !signal.aborted) {
      await endOfTurn()
      let left = HINTS_PER_TURN
      for (const address of waiting) {
        if (left-- === 0) break
        waiting.delete(address)
        gossip.hint(address)
      }
    }
    isForwarding = false
  }
  const unlisten = masters.onHint((address) => {
    if (address === mesos.agentIp() || address === nodeIp()) {
      mesos.pollSoon()
      return
    }
    waiting.add(address)
    if (isForwarding) return
    isForwarding = true
    scope.run(forward)
  })
  scope.defer(unlisten)
}
