import type { Clock } from '../../base/clock.ts'
import { NavstarError } from '../../base/error.ts'
import type { ErrorCode } from '../../base/error-codes.ts'
import type { Log } from '../../base/log.ts'
import { isSameMaster, type MasterAddress } from './master-address.ts'

/** Called with the leading master whenever it is another one; undefined: there is none now. */
export type LeaderListener = (leader: MasterAddress | undefined) => void

/** Told about what happens, for metrics. */
export interface LeaderEvents {
  /** @param leader undefined: nobody leads now */
  onChange?(leader: MasterAddress | undefined): void
  /** The source could not be read. */
  onProblem?(code: ErrorCode): void
  /** A master's entry could not be understood; once while it lasts. */
  onSkipped?(code: ErrorCode): void
  /** Whether what is known may be out of date. */
  onStale?(isStale: boolean): void
  /** A session with ZooKeeper ended by itself. */
  onSessionLost?(): void
}

/** How sure we are of the leader. */
export interface LeaderStatus {
  /** What is followed, without passwords, e.g. `zk://a:2181/mesos`. */
  readonly source: string
  /** The last known leader. */
  readonly leader: MasterAddress | undefined
  /**
   * `searching`: nothing was ever learned; `current`: the source confirms the leader, or that
   * there is none; `stale`: the source is away, the leader is the last one known.
   */
  readonly state: 'searching' | 'current' | 'stale'
  /** Since when the state is so, milliseconds since 1970. */
  readonly sinceWallMs: number
  /** Since when `leader` is known to be so, that there is none included, milliseconds since 1970. */
  readonly leaderSinceWallMs: number
  /** Why it is not `current`. */
  readonly problem?: NavstarError
  /** Entries of masters that could not be understood, by name. */
  readonly skipped: ReadonlyMap<string, NavstarError>
}

/** What a {@link LeaderView} is made of. */
export interface LeaderViewParts {
  readonly source: string
  readonly clock: Clock
  readonly log: Log
  readonly events?: LeaderEvents
}

/** The one place that knows the leader; written by the source that follows it. */
export class LeaderView {
  readonly #parts: LeaderViewParts
  readonly #listeners = new Set<LeaderListener>()
  #status: LeaderStatus

  constructor(parts: LeaderViewParts) {
    this.#parts = parts
    const sinceWallMs = parts.clock.wallMs()
    const { source } = parts
    this.#status = {
      source,
      leader: undefined,
      state: 'searching',
      sinceWallMs,
      leaderSinceWallMs: sinceWallMs,
      skipped: new Map(),
    }
  }

  get status(): LeaderStatus {
    return this.#status
  }

  /** Listens to changes from now on. @returns a function that ends it */
  onChange(listener: LeaderListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The source says who leads. */
  found(leader: MasterAddress | undefined): void {
    const { problem: _, ...before } = this.#status
    const { log, events } = this.#parts
    const isNews = before.state !== 'current'
    const isSame = before.state !== 'searching' && isSameMaster(before.leader, leader)
    this.#status = {
      ...before,
      leader,
      state: 'current',
      sinceWallMs: this.#since('current'),
      leaderSinceWallMs: isSame ? before.leaderSinceWallMs : this.#parts.clock.wallMs(),
    }
    if (isNews) {
      log.info('the leading master is known', { source: before.source, leader })
      events?.onStale?.(false)
    }
    if (isSameMaster(before.leader, leader)) return
    if (!isNews) log.info('the leading master changed', { source: before.source, leader })
    events?.onChange?.(leader)
    for (const listener of this.#listeners) listener(leader)
  }

  /** The source is away; the last known leader stays. */
  lost(problem: NavstarError): void {
    const before = this.#status
    const { log, events } = this.#parts
    const state = before.state === 'searching' ? 'searching' : 'stale'
    this.#status = { ...before, state, sinceWallMs: this.#since(state), problem }
    if (before.problem?.code !== problem.code) {
      log.warn('the leading master may be out of date', { source: before.source, error: problem })
    } else log.debug('the leading master is still out of date', { error: problem })
    if (before.state === 'current') events?.onStale?.(true)
    events?.onProblem?.(problem.code)
  }

  /** A session with ZooKeeper ended by itself; what follows tells whether that matters. */
  sessionLost(): void {
    this.#parts.events?.onSessionLost?.()
  }

  /** The entries that could not be understood in the newest reading. */
  skipped(skipped: ReadonlyMap<string, NavstarError>): void {
    const before = this.#status.skipped
    this.#status = { ...this.#status, skipped }
    for (const [name, problem] of skipped) {
      if (before.has(name)) continue
      this.#parts.log.warn('the entry of a master is skipped', { name, error: problem })
      this.#parts.events?.onSkipped?.(problem.code)
    }
  }

  #since(state: LeaderStatus['state']): number {
    const isSame = state === this.#status.state
    return isSame ? this.#status.sinceWallMs : this.#parts.clock.wallMs()
  }
}

/** The problem of a source, whatever was thrown. */
export function leaderProblem(thrown: unknown, attempt: string): NavstarError {
  if (thrown instanceof NavstarError) return thrown
  return new NavstarError('MASTER_UNKNOWN', { attempt, cause: thrown })
}
