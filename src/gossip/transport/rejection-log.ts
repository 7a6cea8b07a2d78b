import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Ip } from '../../model/ip.ts'
import type { PacketRejection } from './events.ts'

/** At most one warning in this time for each reason. */
const INTERVAL_MS = 60_000

/** What an operator should hear of, as it looks like a node that is set up differently. */
const MEANINGS: Partial<Record<PacketRejection, string>> = {
  version: 'a newer navstar, or another program',
  'unknown-key': 'its key is not in the key file',
  forged: 'another cluster id, or an altered packet',
  'own-node': 'this node’s identity, or its own packets sent back',
}

/** Warns of packets that look like a node that is set up differently; never for each packet. */
export class RejectionLog {
  readonly #log: Log
  readonly #clock: Clock
  readonly #seen = new Map<PacketRejection, { untilMs: number; heldBack: number }>()

  constructor(log: Log, clock: Clock) {
    this.#log = log
    this.#clock = clock
  }

  /** @param address where it came from, as far as one can believe that */
  note(reason: PacketRejection, address: Ip): void {
    const meaning = MEANINGS[reason]
    if (meaning === undefined) return
    const nowMs = this.#clock.nowMs()
    const seen = this.#seen.get(reason)
    if (seen !== undefined && nowMs < seen.untilMs) {
      seen.heldBack++
      return
    }
    const heldBack = seen?.heldBack ?? 0
    this.#seen.set(reason, { untilMs: nowMs + INTERVAL_MS, heldBack: 0 })
    this.#log.warn('gossip packets are rejected', { reason, meaning, address, heldBack })
  }
}
