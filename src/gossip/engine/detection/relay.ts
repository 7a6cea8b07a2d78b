/** Pings for others. **Source:** SWIM §4.1 (ping-req), Lifeguard §IV-A (nack) */
import type { NodeId } from '../../../model/node-id.ts'
import { destinationOf, type Ground } from '../ground.ts'
import type { Ack, PingRequest } from '../messages.ts'
import type { Timer } from '../timers.ts'

interface Relayed {
  readonly subject: NodeId
  readonly requester: NodeId
  readonly requestSequence: number
  readonly timer: Timer
}

const MAX_RELAYED = 1024
/** A nack must come before the requester's round ends. */
const NACK_SHARE = 0.8
/** Apart from the prober's, which begin anywhere: an answer goes to whom it belongs by subject. */
const MAX_SEQUENCE = 2 ** 32

/** Serves ping requests. */
export class Relay {
  readonly #ground: Ground
  readonly #relayed = new Map<number, Relayed>()
  #sequence: number

  constructor(ground: Ground) {
    this.#ground = ground
    this.#sequence = Math.floor(ground.random.next() * MAX_SEQUENCE)
  }

  onRequest(requester: NodeId, { sequence, subject }: PingRequest): void {
    const { outbox, membership, timers, settings } = this.#ground
    const to = destinationOf(this.#ground, subject)
    if (to === undefined || this.#relayed.size >= MAX_RELAYED) {
      this.#report({ requester, requestSequence: sequence }, false)
      return
    }
    this.#sequence = (this.#sequence + 1) % MAX_SEQUENCE
    const own = this.#sequence
    outbox.urgent(to, { kind: 'ping', sequence: own, digest: membership.digests.root })
    const timer = timers.after(settings.minRoundMs * NACK_SHARE, () => this.#settle(own, false))
    this.#relayed.set(own, { subject, requester, requestSequence: sequence, timer })
  }

  /** An ack came; it may answer a relayed ping. */
  onAck(from: NodeId, { sequence }: Ack): void {
    if (this.#relayed.get(sequence)?.subject === from) this.#settle(sequence, true)
  }

  #settle(sequence: number, isAnswered: boolean): void {
    const relayed = this.#relayed.get(sequence)
    if (relayed === undefined) return
    relayed.timer.cancel()
    this.#relayed.delete(sequence)
    this.#report(relayed, isAnswered)
  }

  #report(
    { requester, requestSequence }: Pick<Relayed, 'requester' | 'requestSequence'>,
    isAnswered: boolean,
  ): void {
    const to = destinationOf(this.#ground, requester)
    if (to === undefined) return
    this.#ground.outbox.urgent(to, {
      kind: 'ping-report',
      sequence: requestSequence,
      isAnswered,
    })
  }
}
