/**
 * How much a silence says. Evidence is −ln of the chance that a living node would have stayed
 * silent under the loss that this node sees; independent silences add up.
 */
const WEIGHT = 1 / 64
const MIN_PING_LOSS = 0.02
const MIN_RELAY_LOSS = 0.04
const MAX_LOSS = 0.9

/** The loss of direct pings to nodes that live. */
export class Loss {
  #pingLoss = 0

  /** A ping to a node that is known to live was answered, or not. */
  sample(isLost: boolean): void {
    this.#pingLoss += ((isLost ? 1 : 0) - this.#pingLoss) * WEIGHT
  }

  /** What an unanswered ping says; also a relay's word that its ping was not answered. */
  get pingEvidence(): number {
    return -Math.log(clamp(this.#pingLoss, MIN_PING_LOSS))
  }

  /** What a relay's silence says: the way to it may be at fault as well. */
  get relayEvidence(): number {
    return -Math.log(clamp(1 - (1 - this.#pingLoss) ** 2, MIN_RELAY_LOSS))
  }
}

function clamp(loss: number, min: number): number {
  return Math.min(MAX_LOSS, Math.max(min, loss))
}
