/**
 * Follows the stream of the leading master, through fail-overs, refusals and silence. What is
 * known stays while no stream is there; a new stream begins with everything anew.
 */
import { backoffMs } from '../../base/backoff.ts'
import type { Clock } from '../../base/clock.ts'
import { type NavstarError, toNavstarError } from '../../base/error.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import { Wakeup } from '../../base/wakeup.ts'
import type { MasterMetrics } from '../metrics.ts'
import { waitAtMost } from './deadline.ts'
import type { MasterFacts } from './facts.ts'
import type { LeaderSource } from './leader.ts'
import type { FactsChange } from './ledger.ts'
import { isSameMaster, type MasterAddress } from './master-address.ts'
import type { MasterConnection, OpenStream } from './master-connection.ts'
import type { EventKind } from './master-event.ts'
import type { StreamTiming } from './stream-timing.ts'
import { Subscription, type SubscriptionEvents } from './subscription.ts'

/** How the stream goes. */
export interface StreamStatus {
  /**
   * `waiting`: for a leader; `connecting`: to it; `receiving`: subscribed, its state is on the
   * way; `current`: the stream is followed.
   */
  readonly state: 'waiting' | 'connecting' | 'receiving' | 'current'
  /** Whose stream it is, or was last asked for. */
  readonly leader: MasterAddress | undefined
  /** E.g. `application/x-protobuf`. */
  readonly contentType: string | undefined
  /** Whether any state was ever received. */
  readonly wasCurrent: boolean
  /** Since when what is known may be out of date, milliseconds since 1970. */
  readonly staleSinceWallMs: number | undefined
  /** Why the stream ended last, or did not begin; undefined once another is followed. */
  readonly lastError: NavstarError | undefined
  /** Events by kind since the start. */
  readonly events: Readonly<Partial<Record<EventKind, number>>>
  /** Records and entries that could not be read, since the start. */
  readonly malformed: number
  /** When the last audit worked, milliseconds since 1970. */
  readonly lastAuditWallMs: number | undefined
  /** Since when audits of this stream fail, and why the last did; undefined while they work. */
  readonly auditProblem: { readonly sinceWallMs: number; readonly error: NavstarError } | undefined
  /** When the last event came, milliseconds since 1970; undefined: none since the start. */
  readonly lastEventWallMs: number | undefined
}

/** What a {@link MasterStream} works with. */
export interface MasterStreamParts {
  readonly leader: Pick<LeaderSource, 'current' | 'onChange' | 'refresh'>
  readonly connection: Pick<MasterConnection, 'subscribe' | 'getState'>
  readonly facts: MasterFacts
  readonly onChange: (change: FactsChange) => void
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metrics: MasterMetrics
  readonly timing: StreamTiming
  readonly maxRecordBytes: number
}

/** The stream of whoever leads. */
export class MasterStream {
  readonly #parts: MasterStreamParts
  readonly #leaderChanged = new Wakeup()
  readonly #events = new Map<EventKind, number>()
  readonly #listener: SubscriptionEvents
  #status: Omit<StreamStatus, 'events'>
  #failures = 0

  constructor(parts: MasterStreamParts) {
    this.#parts = parts
    this.#status = {
      state: 'waiting',
      leader: undefined,
      contentType: undefined,
      wasCurrent: false,
      staleSinceWallMs: parts.clock.wallMs(),
      lastError: undefined,
      malformed: 0,
      lastAuditWallMs: undefined,
      auditProblem: undefined,
      lastEventWallMs: undefined,
    }
    this.#listener = this.#listen()
  }

  get status(): StreamStatus {
    return { ...this.#status, events: Object.fromEntries(this.#events) }
  }

  /** Follows until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { leader, clock, random, timing } = this.#parts
    const unlisten = leader.onChange(() => this.#leaderChanged.wake())
    try {
      while (!signal.aborted) {
        const master = await this.#leader(signal)
        const startMs = clock.nowMs()
        const error = await this.#follow(master, signal)
        if (signal.aborted) return
        this.#lost(error)
        leader.refresh()
        const wasStable = clock.nowMs() - startMs >= timing.stableMs
        this.#failures = wasStable ? 1 : this.#failures + 1
        const timeoutMs = backoffMs(timing.backoff, this.#failures - 1, random)
        await this.#pause(master, timeoutMs, signal)
      }
    } finally {
      unlisten()
    }
  }

  /** The leader, once there is one. */
  async #leader(signal: AbortSignal): Promise<MasterAddress> {
    for (;;) {
      const { current } = this.#parts.leader
      if (current !== undefined) return current
      this.#status = { ...this.#status, state: 'waiting', leader: undefined }
      await this.#leaderChanged.wait({ signal })
    }
  }

  /** Waits, but not for a master that leads no more; a new leader has a moment to get ready. */
  async #pause(master: MasterAddress, timeoutMs: number, signal: AbortSignal): Promise<void> {
    const { clock, leader, random, timing } = this.#parts
    await waitAtMost({ clock, timeoutMs, signal }, async (options) => {
      while (isSameMaster(leader.current, master)) await this.#leaderChanged.wait(options)
    })
    if (isSameMaster(leader.current, master)) return
    this.#failures = 0
    await clock.sleep(timing.backoff.baseMs * random.next(), { signal })
  }

  /** Follows one stream until it ends or another master leads. @returns why it ended */
  async #follow(master: MasterAddress, outer: AbortSignal): Promise<NavstarError | undefined> {
    const { leader, connection } = this.#parts
    const superseded = new AbortController()
    const unlisten = leader.onChange((next) => {
      // While nobody leads, the stream tells by its end whether it is over.
      if (next !== undefined && !isSameMaster(next, master)) superseded.abort(new Error(SUPERSEDED))
    })
    const signal = AbortSignal.any([outer, superseded.signal])
    this.#status = { ...this.#status, state: 'connecting', leader: master }
    try {
      const stream = await connection.subscribe(master, { signal })
      this.#status = { ...this.#status, contentType: stream.contentType, state: 'receiving' }
      return await this.#subscription(stream).follow(signal)
    } catch (error) {
      if (signal.aborted) return undefined
      return toNavstarError(error, 'follow the leading master')
    } finally {
      unlisten()
    }
  }

  #subscription(stream: OpenStream): Subscription {
    const { facts, connection, clock, random, timing, maxRecordBytes } = this.#parts
    const events = this.#listener
    return new Subscription({
      ...{ stream, connection, facts, events, clock, random, timing },
      maxRecordBytes,
    })
  }

  #lost(error: NavstarError | undefined): void {
    const { log, metrics, clock } = this.#parts
    const { leader, lastError, staleSinceWallMs } = this.#status
    if (error === undefined) log.info('another master leads', { leader })
    else if (lastError?.code !== error.code) {
      log.warn('the stream of the leading master is lost, what is known is kept', { leader, error })
    } else log.debug('the stream of the leading master is still lost', { leader, error })
    metrics.onStreamEnd(error?.code ?? 'superseded')
    this.#status = {
      ...this.#status,
      state: 'connecting',
      staleSinceWallMs: staleSinceWallMs ?? clock.wallMs(),
      lastError: error ?? lastError,
    }
  }

  #listen(): SubscriptionEvents {
    const { log, metrics, clock, facts, onChange } = this.#parts
    return {
      onSubscribed: () => {
        const { leader, contentType } = this.#status
        const counts = { tasks: facts.tasks.size, agents: facts.agents.size }
        log.info('the stream of the leading master is followed', { leader, contentType, ...counts })
        const news = { staleSinceWallMs: undefined, lastError: undefined, auditProblem: undefined }
        this.#status = { ...this.#status, ...news, state: 'current', wasCurrent: true }
        metrics.onSubscribed()
      },
      onEvent: (kind) => {
        this.#events.set(kind, (this.#events.get(kind) ?? 0) + 1)
        this.#status = { ...this.#status, lastEventWallMs: clock.wallMs() }
        metrics.onEvent(kind)
      },
      onMalformed: (error) => {
        log.warn('a record of the master cannot be read, it is left out', { error })
        this.#status = { ...this.#status, malformed: this.#status.malformed + 1 }
        metrics.onMalformed()
      },
      onChange: (change) => {
        metrics.onFacts(change, facts)
        onChange(change)
      },
      onAudit: (result, error) => {
        metrics.onAudit(result)
        const nowWallMs = clock.wallMs()
        if (error === undefined) {
          this.#status = { ...this.#status, lastAuditWallMs: nowWallMs, auditProblem: undefined }
          return
        }
        log.warn('the state of the master cannot be audited', { error })
        const sinceWallMs = this.#status.auditProblem?.sinceWallMs ?? nowWallMs
        this.#status = { ...this.#status, auditProblem: { sinceWallMs, error } }
      },
    }
  }
}

const SUPERSEDED = 'another master leads'
