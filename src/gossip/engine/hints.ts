/**
 * Hints: "something of yours changed". They only make a node look earlier, so nothing is lost with
 * one, and a storm of them to a node is one message per {@link HINT_REST_MS}. That its agent is gone
 * for good is told once, over the stream.
 */
import type { NodeId } from '../../model/node-id.ts'
import { isAgentId } from '../wire/hint.ts'
import type { Destination } from './effects.ts'
import { destinationOf, type Ground } from './ground.ts'
import type { AgentGone, MessageKind } from './messages.ts'

/** From one hint to a node to the next; what comes between is told by the next. */
export const HINT_REST_MS = 20

/** The hints of one node. */
export class Hints {
  readonly #ground: Ground
  /** Nodes that were just told, and whether they are to be told again. */
  readonly #resting = new Map<NodeId, { isWanted: boolean }>()

  constructor(ground: Ground) {
    this.#ground = ground
  }

  /** Tells a living member, at once or after the rest. */
  send(node: NodeId): void {
    const { outbox, timers } = this.#ground
    const resting = this.#resting.get(node)
    if (resting !== undefined) {
      resting.isWanted = true
      return
    }
    const to = this.#living(node)
    if (to === undefined) return
    outbox.urgent(to, { kind: 'hint' })
    const rest = { isWanted: false }
    this.#resting.set(node, rest)
    timers.after(HINT_REST_MS, () => {
      this.#resting.delete(node)
      if (rest.isWanted) this.send(node)
    })
  }

  /** Tells a living member that an agent is gone, which was at its address. */
  tellGone(node: NodeId, agent: string): void {
    const to = this.#living(node)
    if (to !== undefined && isAgentId(agent)) {
      this.#ground.outbox.bulk(to, { kind: 'agent-gone', agent })
    }
  }

  /** A peer tells; strangers are not heard. */
  onHint(from: NodeId): void {
    if (this.#isMember(from, 'hint')) this.#ground.turn.emit({ kind: 'hinted', from })
  }

  /** A peer tells that an agent is gone, which may be this node's. */
  onAgentGone(from: NodeId, { agent }: AgentGone): void {
    if (!this.#isMember(from, 'agent-gone')) return
    this.#ground.turn.emit({ kind: 'agent-gone', from, agent })
  }

  #living(node: NodeId): Destination | undefined {
    const { self, membership } = this.#ground
    if (node === self || membership.stateOf(node) !== 'alive') return undefined
    return destinationOf(this.#ground, node)
  }

  #isMember(from: NodeId, message: MessageKind): boolean {
    const { membership, turn } = this.#ground
    if (membership.announcementOf(from) !== undefined) return true
    turn.emit({ kind: 'rejected', from, reason: 'unknown-node', message })
    return false
  }
}
