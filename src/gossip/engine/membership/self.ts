/** What this node says of itself: its announcement, refuted and left when need be. */
import type { Endpoint } from '../../../model/endpoint.ts'
import type { NodeId } from '../../../model/node-id.ts'
import type { LocalHealth } from '../detection/local-health.ts'
import type { Ground } from '../ground.ts'
import type { Announcement } from '../statements.ts'

/** Announces this node. */
export class Self {
  readonly #ground: Ground
  readonly #endpoint: Endpoint
  readonly #health: LocalHealth
  readonly #flood: (announcement: Announcement) => void
  #announcement: Announcement

  constructor(
    ground: Ground,
    {
      endpoint,
      incarnation,
      health,
      flood,
    }: {
      readonly endpoint: Endpoint
      readonly incarnation: number
      readonly health: LocalHealth
      readonly flood: (announcement: Announcement) => void
    },
  ) {
    this.#ground = ground
    this.#endpoint = endpoint
    this.#health = health
    this.#flood = flood
    this.#announcement = this.#sign(incarnation, false)
  }

  get announcement(): Announcement {
    return this.#announcement
  }

  /** Becomes a member in its own eyes. */
  start(): void {
    this.#ground.membership.announce(this.#announcement)
  }

  /** Answers a doubt: nothing that was said of an incarnation up to this one holds any more. */
  refute(incarnation: number, accuser: NodeId): void {
    this.#health.worsen(this.#ground.turn.nowMs)
    const next = Math.max(incarnation, this.#announcement.incarnation) + 1
    this.#say(next, this.#announcement.isLeaving)
    this.#ground.turn.emit({ kind: 'self-refuted', accuser, incarnation: next })
  }

  /** Goes for good. */
  leave(): void {
    this.#say(this.#announcement.incarnation + 1, true)
  }

  #say(incarnation: number, isLeaving: boolean): void {
    this.#announcement = this.#sign(incarnation, isLeaving)
    this.#ground.membership.announce(this.#announcement)
    this.#flood(this.#announcement)
  }

  #sign(incarnation: number, isLeaving: boolean): Announcement {
    const { notary, self } = this.#ground
    return notary.sign<Announcement>({
      kind: 'announcement',
      node: self,
      publicKey: notary.publicKey,
      endpoint: this.#endpoint,
      incarnation,
      isLeaving,
      certificate: notary.certificate,
    })
  }
}
