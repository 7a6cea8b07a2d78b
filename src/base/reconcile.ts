/**
 * The loop that every arrow into the kernel is: desired − observed = plan → apply. It wakes for
 * changes, foreign writes and audits, reads the kernel whenever its picture may be wrong, and
 * waits longer the more often it fails in a row.
 */
import { type BackoffPolicy, backoffMs } from './backoff.ts'
import type { Clock } from './clock.ts'
import { type NavstarError, toNavstarError } from './error.ts'
import type { Random } from './random.ts'
import { Wakeup } from './wakeup.ts'

/** What a capability does in each round. */
export interface Reconciled<Operation> {
  /** Reads the kernel; the next plan is made against it. */
  observe(): Promise<void>
  /** Pure: the operations that are due. Called anew after every observation and wake-up. */
  plan(): readonly Operation[]
  /** Carries them out. @returns the failures; none when all is done */
  apply(operations: readonly Operation[]): Promise<readonly NavstarError[]>
  /** Cheap check that the kernel is as last observed. @returns false when it is not */
  audit(): Promise<boolean>
}

/** What a round did, for logs and metrics. */
export interface ReconcileEvents<Operation> {
  onObserved?(durationMs: number): void
  onApplied?(applied: {
    readonly operations: readonly Operation[]
    readonly durationMs: number
  }): void
  /** Someone else changed our objects, and something is to do for it: `found` says how we know. */
  onDrift?(found: string): void
  onFailure?(error: NavstarError, failures: number): void
}

/** How often audits run. */
export interface AuditPolicy {
  readonly minIntervalMs: number
  readonly maxIntervalMs: number
  /** The largest part of one core that audits may take, e.g. 0.02. */
  readonly maxShare: number
}

/** What a {@link Reconciler} is made of. */
export interface ReconcilerOptions<Operation> {
  readonly target: Reconciled<Operation>
  readonly clock: Clock
  readonly random: Random
  readonly audit: AuditPolicy
  readonly backoff: BackoffPolicy
  readonly events?: ReconcileEvents<Operation>
}

/** Where the loop stands. */
export interface ReconcileStatus {
  /** True when the last round ended with the kernel as desired. */
  readonly isInSync: boolean
  /** Failures in a row. */
  readonly failures: number
  /** Times that the kernel was found changed by someone else. */
  readonly drifts: number
  readonly lastError?: NavstarError
}

const AUDITS_COMPARED = 4

/** One reconcile loop. */
export class Reconciler<Operation> {
  readonly #options: ReconcilerOptions<Operation>
  readonly #wakeup = new Wakeup()
  #isStale = true
  #failures = 0
  #drifts = 0
  #lastError: NavstarError | undefined
  #isInSync = false
  /** Why the kernel may have been changed by someone else. */
  #suspicion: string | undefined
  #nextAuditMs = 0
  /** How long the last audits took. */
  #auditsMs: readonly number[] = []

  constructor(options: ReconcilerOptions<Operation>) {
    this.#options = options
  }

  get status(): ReconcileStatus {
    const lastError = this.#lastError
    const status = { isInSync: this.#isInSync, failures: this.#failures, drifts: this.#drifts }
    return lastError === undefined ? status : { ...status, lastError }
  }

  /** The desired state changed. */
  wake(): void {
    this.#isInSync = false
    this.#wakeup.wake()
  }

  /** What the kernel is compared with changed beyond the desired rows: it is read anew. */
  refresh(): void {
    this.#isStale = true
    this.wake()
  }

  /**
   * Someone else may have written to our objects: the kernel is read before the next plan. It is
   * drift when that plan then has something to do.
   */
  invalidate(found: string): void {
    this.#suspicion = found
    this.refresh()
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const errors = await this.#round()
      try {
        if (errors.length > 0) await this.#waitAfterFailure(errors, signal)
        else await this.#waitForWork(signal)
      } catch (error) {
        if (!signal.aborted) throw error
      }
    }
  }

  /** Observes if needed, plans and applies until nothing is left, or until something fails. */
  async #round(): Promise<readonly NavstarError[]> {
    const { target, clock, events } = this.#options
    try {
      if (this.#isStale) {
        const startMs = clock.nowMs()
        this.#isStale = false
        await target.observe()
        events?.onObserved?.(clock.nowMs() - startMs)
      }
      const operations = target.plan()
      this.#judge(operations)
      if (operations.length > 0) {
        const startMs = clock.nowMs()
        const errors = await target.apply(operations)
        events?.onApplied?.({ operations, durationMs: clock.nowMs() - startMs })
        if (errors.length > 0) return errors
      }
    } catch (error) {
      return [toNavstarError(error, 'reconcile')]
    }
    this.#failures = 0
    this.#lastError = undefined
    this.#isInSync = !this.#isStale
    return []
  }

  /** A suspicion is drift when there is something to do. */
  #judge(operations: readonly Operation[]): void {
    const found = this.#suspicion
    this.#suspicion = undefined
    if (found === undefined || operations.length === 0) return
    this.#drifts++
    this.#options.events?.onDrift?.(found)
  }

  async #waitAfterFailure(errors: readonly NavstarError[], signal: AbortSignal): Promise<void> {
    const { clock, random, backoff, events } = this.#options
    this.#isStale = true
    this.#isInSync = false
    this.#lastError = errors[0]
    for (const error of errors) events?.onFailure?.(error, this.#failures + 1)
    await clock.sleep(backoffMs(backoff, this.#failures, random), { signal })
    this.#failures++
  }

  /** Waits for a wake-up; audits whenever one is due. */
  async #waitForWork(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    const timeoutMs = Math.max(0, this.#nextAuditMs - clock.nowMs())
    await this.#wakeup.wait({ signal, limit: { clock, timeoutMs } })
    if (clock.nowMs() >= this.#nextAuditMs && !this.#isStale) await this.#audit()
  }

  async #audit(): Promise<void> {
    const { target, clock, audit, events } = this.#options
    const startMs = clock.nowMs()
    try {
      const isIntact = await target.audit()
      // What changed meanwhile is read anew in any case, and may be what the audit found.
      if (!isIntact && !this.#isStale) this.invalidate('audit')
    } catch (error) {
      this.#isStale = true
      events?.onFailure?.(toNavstarError(error, 'audit'), this.#failures)
    }
    const costMs = clock.nowMs() - startMs
    // The quickest of the last few: on a busy machine most of an audit's time is waiting.
    this.#auditsMs = [...this.#auditsMs.slice(1 - AUDITS_COMPARED), costMs]
    const intervalMs = Math.max(audit.minIntervalMs, Math.min(...this.#auditsMs) / audit.maxShare)
    this.#nextAuditMs = clock.nowMs() + Math.min(audit.maxIntervalMs, intervalMs)
  }
}
