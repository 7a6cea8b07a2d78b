/**
 * One subscription, from the head of its answer to its end. Three things go on beside each other:
 * chunks become records as fast as they come; records become facts, in order, a few in a turn of
 * the event loop; and time is watched, for silence and for the next audit.
 */
import type { Clock } from '../../base/clock.ts'
import { NavstarError, toNavstarError } from '../../base/error.ts'
import type { Random } from '../../base/random.ts'
import { Scope } from '../../base/scope.ts'
import { endOfTurn } from '../../base/turn.ts'
import { RecordioDecoder } from '../recordio.ts'
import { decodeEvent, isSnapshot, reduceSnapshot } from '../records.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { inTurns } from '../snapshot/steps.ts'
import { type AuditResult, Audits } from './audits.ts'
import type { MasterFacts } from './facts.ts'
import type { FactsChange } from './ledger.ts'
import type { MasterConnection, OpenStream } from './master-connection.ts'
import { type EventKind, eventKindOf, readMasterEvent } from './master-event.ts'
import { RecordQueue } from './record-queue.ts'
import type { StreamTiming } from './stream-timing.ts'

/** Told what happens on a subscription. */
export interface SubscriptionEvents {
  /** The snapshot that begins the stream is in the facts. */
  onSubscribed(): void
  onEvent(kind: EventKind): void
  /** A record or an entry that could not be read was left out. */
  onMalformed(error: NavstarError): void
  onChange(change: FactsChange): void
  onAudit(result: AuditResult, error?: NavstarError): void
}

/** What a {@link Subscription} works with. */
export interface SubscriptionParts {
  readonly stream: OpenStream
  readonly connection: Pick<MasterConnection, 'getState'>
  readonly facts: MasterFacts
  readonly events: SubscriptionEvents
  readonly clock: Clock
  readonly random: Random
  readonly timing: StreamTiming
  readonly maxRecordBytes: number
}

/** Of the records that wait, so many are read in a turn of the event loop. */
const RECORDS_PER_TURN = 64

/** What waits may take so much memory. */
const MAX_QUEUED_BYTES = 64 * 1024 * 1024

/** So many unreadable records in a row are not a slip any more. */
const MAX_MALFORMED = 100

/** Follows one stream to its end. */
export class Subscription {
  readonly #parts: SubscriptionParts
  readonly #queue = new RecordQueue(MAX_QUEUED_BYTES)
  readonly #audits: Audits
  readonly #ended = new AbortController()
  /** Before the snapshot the last byte, then the last record. */
  #heardMs: number
  #silenceMs: number
  #hasSnapshot = false
  #malformedInARow = 0

  constructor(parts: SubscriptionParts) {
    this.#parts = parts
    this.#audits = new Audits(parts)
    this.#heardMs = parts.clock.nowMs()
    this.#silenceMs = parts.timing.firstByteTimeoutMs
  }

  /** Follows the stream. @throws NavstarError why it ended; the signal's reason when aborted */
  async follow(outer: AbortSignal): Promise<never> {
    const { response, url } = this.#parts.stream
    const { signal } = this.#ended
    const onAbort = () => this.#ended.abort(outer.reason)
    outer.addEventListener('abort', onAbort, { once: true })
    if (outer.aborted) onAbort()
    const attempt = `follow the stream of ${url.host}`
    const scope = new Scope((error) => this.#ended.abort(toNavstarError(error, attempt)))
    this.#read(attempt)
    scope.run((within) => this.#apply(within, () => scope.run((audits) => this.#audit(audits))))
    scope.run((within) => this.#watchSilence(within))
    scope.run((within) => this.#watchStart(within))
    try {
      await aborted(signal)
    } finally {
      outer.removeEventListener('abort', onAbort)
      response.destroy()
      await scope.close()
    }
    throw signal.reason
  }

  /** Takes every chunk at once: the socket is never paused. */
  #read(attempt: string): void {
    const { clock, maxRecordBytes, stream } = this.#parts
    const { response } = stream
    const decoder = new RecordioDecoder({ maxRecordBytes })
    const end = (cause: unknown) => {
      this.#ended.abort(new NavstarError('MESOS_UNREACHABLE', { attempt, cause, hint: HINT }))
    }
    response.on('data', (chunk: Buffer) => {
      if (this.#ended.signal.aborted) return
      try {
        const records = decoder.push(chunk)
        if (records.length > 0 || !this.#hasSnapshot) this.#heardMs = clock.nowMs()
        for (const record of records) this.#queue.push(record)
      } catch (error) {
        this.#ended.abort(toNavstarError(error, attempt))
      }
    })
    response.on('error', end)
    response.once('end', () => end(new Error('the master ended the stream')))
    response.once('close', () => end(new Error('the connection is closed')))
  }

  async #apply(signal: AbortSignal, onFirst: () => void): Promise<void> {
    const { stream, events } = this.#parts
    // Throws for a type that is none of Mesos'.
    isSnapshot(new Uint8Array(), stream.contentType)
    for (;;) {
      const records = await this.#queue.take(RECORDS_PER_TURN, signal)
      const changes: FactsChange[] = []
      for (const record of records) {
        const isFirst = isSnapshot(record, stream.contentType) && !this.#hasSnapshot
        const change = await this.#take(record, signal)
        if (change !== undefined) changes.push(change)
        if (isFirst) onFirst()
      }
      events.onChange(merged(changes))
      if (this.#malformedInARow > MAX_MALFORMED) {
        const attempt = `read ${this.#malformedInARow} records in a row`
        throw new NavstarError('MESOS_RESPONSE_INVALID', { attempt, hint: HINT })
      }
      await endOfTurn()
    }
  }

  /** @returns what the record changed; undefined for one that cannot be read */
  async #take(record: Uint8Array, signal: AbortSignal): Promise<FactsChange | undefined> {
    const { stream, facts, clock, events } = this.#parts
    if (!isSnapshot(record, stream.contentType)) return this.#event(record)
    const snapshot = await reduceSnapshot(record, stream.contentType, { signal })
    const change = await inTurns(facts.subscribing(snapshot, clock.nowMs()), signal)
    this.#silenceMs = this.#silenceOf(snapshot)
    this.#hasSnapshot = true
    events.onEvent('SUBSCRIBED')
    events.onSubscribed()
    return change
  }

  /** A record that cannot be read is left out; the next audit makes up for it. */
  #event(record: Uint8Array): FactsChange | undefined {
    const { stream, facts, clock, events } = this.#parts
    if (record.length === 0) return undefined
    try {
      const event = decodeEvent(record, stream.contentType)
      events.onEvent(eventKindOf(event))
      const change = facts.apply(readMasterEvent(event), clock.nowMs())
      this.#malformedInARow = 0
      return change
    } catch (error) {
      if (!(error instanceof NavstarError)) throw error
      this.#malformedInARow++
      events.onMalformed(error)
      this.#audits.hasten()
      return undefined
    }
  }

  /** Up to Mesos 1.4 there are no heartbeats: TCP keep-alive and audits must do. */
  #silenceOf({ heartbeatIntervalMs }: Snapshot): number {
    const { missedHeartbeats } = this.#parts.timing
    const isPromised = heartbeatIntervalMs !== undefined && heartbeatIntervalMs > 0
    return isPromised ? heartbeatIntervalMs * missedHeartbeats : Number.POSITIVE_INFINITY
  }

  async #watchSilence(signal: AbortSignal): Promise<void> {
    const { clock, stream } = this.#parts
    while (Number.isFinite(this.#silenceMs)) {
      if (this.#silentMs() >= this.#silenceMs) {
        // After a stall of our own what has come meanwhile is read first.
        await endOfTurn()
        await endOfTurn()
        if (this.#silentMs() >= this.#silenceMs) {
          const cause = new Error(`silent for ${Math.round(this.#silentMs())} ms`)
          const attempt = `follow the stream of ${stream.url.host}`
          throw new NavstarError('MASTER_SILENT', { attempt, cause })
        }
      }
      await clock.sleep(this.#silenceMs - this.#silentMs(), { signal })
    }
  }

  /** The snapshot must be there in time, however slowly it comes. */
  async #watchStart(signal: AbortSignal): Promise<void> {
    const { clock, timing, stream } = this.#parts
    await clock.sleep(timing.subscribedTimeoutMs, { signal })
    if (this.#hasSnapshot) return
    const cause = new Error(`no state within ${timing.subscribedTimeoutMs} ms`)
    const attempt = `subscribe at ${stream.url.host}`
    throw new NavstarError('MESOS_UNREACHABLE', { attempt, cause, hint: HINT })
  }

  async #audit(signal: AbortSignal): Promise<void> {
    const { events } = this.#parts
    await this.#audits.run((result, error) => {
      events.onAudit(result, error)
      // Without heartbeats this is all that tells a dead stream.
      if (error !== undefined && !Number.isFinite(this.#silenceMs)) throw error
    }, signal)
  }

  #silentMs(): number {
    return this.#parts.clock.nowMs() - this.#heardMs
  }
}

const HINT = 'It subscribes again; what is known is kept meanwhile.'

function merged(changes: readonly FactsChange[]): FactsChange {
  return {
    hints: new Set(changes.flatMap(({ hints }) => [...hints])),
    named: new Set(changes.flatMap(({ named }) => [...named])),
    gone: changes.flatMap(({ gone }) => gone),
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  const { promise, resolve } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => resolve(), { once: true })
  return promise
}
