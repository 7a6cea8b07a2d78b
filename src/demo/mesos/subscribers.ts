/**
 * Who listens to a master: a snapshot that is atomic with the subscription, then the events.
 *
 * **Source:** Apache Mesos `src/master/http.cpp` (subscribe), `src/master/master.cpp`
 * (Subscribers::send, Heartbeater)
 */
import type { JsonMessage } from '../agent/json.ts'
import { HEARTBEAT, subscribed } from './messages.ts'
import type { MesosRules } from './rules.ts'
import type { Schedule } from './schedule.ts'

const HEARTBEAT_SECONDS = 15

/** How a stream ends: by its last chunk, by a FIN within it, by a reset. */
export type StreamEnd = 'last-chunk' | 'fin' | 'reset'

/** The far end of a stream. */
export interface Subscriber {
  send(event: JsonMessage): void
  close(how: StreamEnd): void
}

/** How this subscription is served. */
export interface SubscribeOptions {
  /** 1.5.0 only: a HEARTBEAT comes first. */
  readonly beatsFirst?: boolean
  /** A principal without rights: an empty snapshot, then nothing but heartbeats. */
  readonly isBlind?: boolean
}

interface Subscription {
  readonly subscriber: Subscriber
  readonly isBlind: boolean
  callOff: () => void
}

/** The subscribers of a master. */
export class Subscribers {
  readonly #schedule: Schedule
  readonly #rules: MesosRules
  readonly #subscriptions = new Set<Subscription>()

  constructor(schedule: Schedule, rules: MesosRules) {
    this.#schedule = schedule
    this.#rules = rules
  }

  get count(): number {
    return this.#subscriptions.size
  }

  /** Begins a stream with this snapshot. @returns what ends it from the far end */
  add(
    subscriber: Subscriber,
    snapshot: JsonMessage,
    { beatsFirst = false, isBlind = false }: SubscribeOptions = {},
  ): () => void {
    const { hasHeartbeats, maxSubscribers, mayBeatBeforeSubscribed } = this.#rules
    const subscription: Subscription = { subscriber, isBlind, callOff: () => undefined }
    const [oldest] = this.#subscriptions
    if (this.#subscriptions.size >= maxSubscribers && oldest !== undefined) {
      this.#drop(oldest)
      oldest.subscriber.close('last-chunk')
    }
    this.#subscriptions.add(subscription)
    if (beatsFirst && mayBeatBeforeSubscribed) subscriber.send(HEARTBEAT)
    subscriber.send(subscribed(snapshot, hasHeartbeats ? HEARTBEAT_SECONDS : undefined))
    if (hasHeartbeats) this.#beat(subscription)
    return () => this.#drop(subscription)
  }

  /** Tells all. */
  send(event: JsonMessage): void {
    for (const { subscriber, isBlind } of this.#subscriptions) {
      if (!isBlind) subscriber.send(event)
    }
  }

  /** Ends all streams. */
  closeAll(how: StreamEnd): void {
    for (const subscription of [...this.#subscriptions]) {
      this.#drop(subscription)
      subscription.subscriber.close(how)
    }
  }

  #beat(subscription: Subscription): void {
    if (!this.#subscriptions.has(subscription)) return
    subscription.subscriber.send(HEARTBEAT)
    const again = () => this.#beat(subscription)
    subscription.callOff = this.#schedule.after(HEARTBEAT_SECONDS * 1000, again)
  }

  #drop(subscription: Subscription): void {
    subscription.callOff()
    this.#subscriptions.delete(subscription)
  }
}
