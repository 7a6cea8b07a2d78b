/**
 * Hints: "something of yours changed". They only make a node look earlier, so nothing is lost with
 * one, and a storm of them to a node is one message per {@link HINT_REST_MS}.
 */
import type { NodeId } from '../../model/node-id.ts'
import { destinationOf, type Ground } from './ground.ts'

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
    const { self, membership, outbox, timers } = this.#ground
    const resting = this.#resting.get(node)
    if (resting !== undefined) {
      resting.isWanted = true
      return
    }
    const to = destinationOf(this.#ground, node)
    if (to === undefined || node === self || membership.stateOf(node) !== 'alive') return
    outbox.urgent(to, { kind: 'hint' })
    const rest = { isWanted: false }
    this.#resting.set(node, rest)
    timers.after(HINT_REST_MS, () => {
      this.#resting.delete(node)
      if (rest.isWanted) this.send(node)
    })
  }

  /** A peer tells; strangers are not heard. */
  onHint(from: NodeId): void {
    const { membership, turn } = this.#ground
    if (membership.announcementOf(from) === undefined) {
      turn.emit({ kind: 'rejected', from, reason: 'unknown-node', message: 'hint' })
    } else turn.emit({ kind: 'hinted', from })
  }
}
