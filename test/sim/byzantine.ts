/** A member that lies: holds the cluster's key, but can only sign as itself. */
import type { Random } from '../../src/base/random.ts'
import type { Delta, Message } from '../../src/gossip/engine/messages.ts'
import type {
  Accusation,
  Announcement,
  Eviction,
  VersionedRecord,
} from '../../src/gossip/engine/statements.ts'

/** How many deltas it keeps to bring them up again later. */
const KEPT_COUNT = 50
const LIE_RATE = 0.3

/** Alters messages on their way out; statements of its own node get void signatures thereby. */
export class Alterer {
  readonly #random: Random
  readonly #kept: Message[] = []

  constructor(random: Random) {
    this.#random = random
  }

  alter(messages: readonly Message[]): readonly Message[] {
    return messages.flatMap((message) => {
      if (message.kind === 'delta' || message.kind === 'announcement') this.#keep(message)
      return this.#random.next() < LIE_RATE ? this.#lie(message) : [message]
    })
  }

  #keep(message: Message): void {
    const place = this.#kept.length < KEPT_COUNT ? this.#kept.length : this.#below(KEPT_COUNT)
    this.#kept[place] = message
  }

  #lie(message: Message): readonly Message[] {
    switch (message.kind) {
      case 'delta':
        return [this.#alterDelta(message), ...this.#replay()]
      case 'announcement':
        return [this.#alterAnnouncement(message)]
      case 'welcome':
        return [
          {
            ...message,
            announcements: message.announcements.map((each) => this.#alterAnnouncement(each)),
          },
        ]
      case 'accusation':
        return [this.#alterAccusation(message)]
      case 'eviction':
        return [this.#alterEviction(message)]
      case 'have':
        return [
          { ...message, entries: message.entries.map((e) => ({ ...e, version: e.version + 7 })) },
        ]
      case 'sync-rows':
        return [{ ...message, rows: message.rows.map((row) => ({ ...row, held: row.held + 7 })) }]
      case 'ping':
      case 'ack':
        return [message, ...this.#replay()]
      default:
        return [message]
    }
  }

  #replay(): readonly Message[] {
    const old = this.#kept[this.#below(KEPT_COUNT)]
    return old === undefined || this.#random.next() < 0.8 ? [] : [old]
  }

  #alterDelta(delta: Delta): Delta {
    const { head, records } = delta
    switch (this.#below(7)) {
      case 0:
        return { ...delta, records: records.map((record) => this.#alterRecord(record)) }
      case 1:
        return { ...delta, records: records.slice(1) }
      case 2:
        return { ...delta, records: [...records, ...records.map((r) => this.#alterRecord(r))] }
      case 3:
        return {
          ...delta,
          head: { ...head, version: head.version + 1 },
          through: delta.through + 1,
        }
      case 4:
        return { ...delta, from: 0 }
      case 5:
        return { ...delta, head: { ...head, floor: head.version } }
      default:
        return { ...delta, from: Math.max(0, delta.from - 1), through: delta.through - 1 }
    }
  }

  #alterRecord(record: VersionedRecord): VersionedRecord {
    switch (this.#below(4)) {
      case 0:
        return { ...record, value: new Uint8Array([6, 6, 6]) }
      case 1:
        return { ...record, key: `${record.key}x` }
      case 2:
        return { ...record, isDeleted: true, value: new Uint8Array(0) }
      default:
        return { ...record, version: record.version - 1 }
    }
  }

  #alterAnnouncement(announcement: Announcement): Announcement {
    switch (this.#below(3)) {
      case 0:
        return { ...announcement, incarnation: announcement.incarnation + 1 }
      case 1:
        return { ...announcement, isLeaving: !announcement.isLeaving }
      default:
        return {
          ...announcement,
          endpoint: { ...announcement.endpoint, port: announcement.endpoint.port + 1 },
        }
    }
  }

  #alterAccusation(accusation: Accusation): Accusation {
    const { subject, accuser, incarnation } = accusation
    return this.#random.next() < 0.5
      ? { ...accusation, subject: accuser, accuser: subject }
      : { ...accusation, incarnation: incarnation + 1 }
  }

  #alterEviction(eviction: Eviction): Eviction {
    const { subject, issuer, incarnation } = eviction
    return this.#random.next() < 0.5
      ? { ...eviction, subject: issuer, issuer: subject }
      : { ...eviction, incarnation: incarnation + 1 }
  }

  #below(limit: number): number {
    return Math.floor(this.#random.next() * limit)
  }
}
