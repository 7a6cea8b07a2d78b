/** The ground that a part under test stands on: it takes calls, lets time pass, keeps what is sent. */
import { seededRandom } from '../../../src/base/random.ts'
import type { Channel, EngineEvent } from '../../../src/gossip/engine/effects.ts'
import type { Ground } from '../../../src/gossip/engine/ground.ts'
import { Membership } from '../../../src/gossip/engine/membership/membership.ts'
import type { Message, MessageKind } from '../../../src/gossip/engine/messages.ts'
import { Outbox } from '../../../src/gossip/engine/outbox.ts'
import { ENGINE_DEFAULTS, type EngineSettings } from '../../../src/gossip/engine/settings.ts'
import type { Announcement } from '../../../src/gossip/engine/statements.ts'
import { Timers } from '../../../src/gossip/engine/timers.ts'
import { Turn } from '../../../src/gossip/engine/turn.ts'
import type { NodeId } from '../../../src/model/node-id.ts'
import type { ClusterRecord, ClusterRecordId } from '../../../src/model/record.ts'
import { announce, endpointOf, notaryOf } from './nodes.ts'

/** A message that left. */
export interface Sent {
  readonly atMs: number
  /** The node, or the endpoint's text where the node is not known. */
  readonly to: string
  readonly channel: Channel
  readonly message: Message
}

/** A ground with its clock in hand. */
export class Stand {
  readonly ground: Ground
  readonly sent: Sent[] = []
  readonly events: EngineEvent[] = []
  readonly rows: (readonly [ClusterRecordId, ClusterRecord | undefined])[] = []
  #nowMs = 0

  constructor(name = 'self', settings: Partial<EngineSettings> = {}) {
    const notary = notaryOf(name)
    const turn = new Turn()
    const timers = new Timers(() => turn.nowMs)
    const all = { ...ENGINE_DEFAULTS, ...settings }
    this.ground = {
      self: notary.node,
      settings: all,
      notary,
      random: seededRandom(7),
      turn,
      timers,
      outbox: new Outbox(all, timers),
      membership: new Membership((node) => turn.touch(node), all.maxAccusers),
    }
    this.ground.membership.announce(announce(notary))
  }

  get nowMs(): number {
    return this.#nowMs
  }

  /** Makes named nodes members. @returns their ids */
  meet(...names: readonly string[]): NodeId[] {
    return names.map((name, index) => {
      const announcement = announce(notaryOf(name), { endpoint: endpointOf(index + 2) })
      this.ground.membership.announce(announcement)
      return announcement.node
    })
  }

  /** Makes one call: what it sends goes out, what is due runs. */
  call<T>(run: () => T): T {
    const { turn, timers, outbox } = this.ground
    turn.begin(this.#nowMs)
    const outcome = run()
    timers.fire()
    outbox.flush((effect) => turn.effect(effect))
    for (const effect of turn.end(undefined)) {
      if (effect.kind === 'event') this.events.push(effect.event)
      else if (effect.kind === 'records') this.rows.push(...effect.changes)
      else if (effect.kind === 'send') {
        const to = effect.to.node ?? `${effect.to.endpoint.address}:${effect.to.endpoint.port}`
        const { channel } = effect
        for (const message of effect.messages) {
          this.sent.push({ atMs: this.#nowMs, to, channel, message })
        }
      }
    }
    return outcome
  }

  /** Lets time pass; each timer runs at its time. */
  pass(durationMs: number): void {
    const endMs = this.#nowMs + durationMs
    for (;;) {
      const dueMs = this.ground.timers.nextDueMs
      if (dueMs > endMs) break
      this.#nowMs = Math.max(this.#nowMs, dueMs)
      this.call(() => undefined)
    }
    this.#nowMs = endMs
    this.call(() => undefined)
  }

  /** Lets time pass without a call, as when the machine stood still; then makes one. */
  stall(durationMs: number): void {
    this.#nowMs += durationMs
    this.call(() => undefined)
  }

  /** Takes out what was sent, of one kind. */
  take<K extends MessageKind>(kind: K): (Sent & { message: Extract<Message, { kind: K }> })[] {
    const isOfKind = (sent: Sent): sent is Sent & { message: Extract<Message, { kind: K }> } =>
      sent.message.kind === kind
    const taken = this.sent.filter(isOfKind)
    const rest = this.sent.filter((sent) => !isOfKind(sent))
    this.sent.splice(0, this.sent.length, ...rest)
    return taken
  }

  /** The kinds of events since the last time this was asked. */
  takeEvents(): EngineEvent[] {
    return this.events.splice(0)
  }
}

/** The announcement that a stand's node goes by. */
export function ownAnnouncement({ ground }: Stand): Announcement {
  const own = ground.membership.announcementOf(ground.self)
  if (own === undefined) throw new Error('a stand has no announcement of its own')
  return own
}
