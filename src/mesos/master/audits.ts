import type { Clock } from '../../base/clock.ts'
import { type NavstarError, toNavstarError } from '../../base/error.ts'
import type { Random } from '../../base/random.ts'
import { Wakeup } from '../../base/wakeup.ts'
import { reduceSnapshot } from '../records.ts'
import { inTurns } from '../snapshot/steps.ts'
import { waitAtMost } from './deadline.ts'
import type { BegunAudit, MasterFacts } from './facts.ts'
import type { FactsChange } from './ledger.ts'
import type { MasterConnection, OpenStream } from './master-connection.ts'
import type { StreamTiming } from './stream-timing.ts'

/** How an audit ended. */
export type AuditResult = 'unchanged' | 'corrected' | 'failed'

/** What {@link Audits} work with. */
export interface AuditParts {
  readonly stream: OpenStream
  readonly connection: Pick<MasterConnection, 'getState'>
  readonly facts: MasterFacts
  readonly events: { onChange(change: FactsChange): void }
  readonly clock: Clock
  readonly random: Random
  readonly timing: Pick<StreamTiming, 'auditIntervalMs' | 'doubtMs'>
}

/**
 * Asks for the whole state from time to time, beside the stream: masters of several versions leave
 * out events, and what no event tells at all is only told so.
 */
export class Audits {
  readonly #parts: AuditParts
  readonly #doubt = new Wakeup()

  constructor(parts: AuditParts) {
    this.#parts = parts
  }

  /** Something was missed: the next audit is due soon. */
  hasten(): void {
    this.#doubt.wake()
  }

  /** Audits until the signal aborts, or until `onResult` throws. */
  async run(
    onResult: (result: AuditResult, error?: NavstarError) => void,
    signal: AbortSignal,
  ): Promise<never> {
    const { clock, random, timing } = this.#parts
    for (;;) {
      const timeoutMs = timing.auditIntervalMs * (0.75 + random.next() / 2)
      await waitAtMost({ clock, timeoutMs, signal }, (options) => this.#doubt.wait(options))
      // Doubts come in bursts, and to all who listen at once.
      await clock.sleep(timing.doubtMs * (0.5 + random.next()), { signal })
      await this.#audit(onResult, signal)
    }
  }

  async #audit(
    onResult: (result: AuditResult, error?: NavstarError) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { facts, stream, events } = this.#parts
    const audit = facts.beginAudit()
    let change: FactsChange
    try {
      change = await this.#ask(audit, signal)
    } catch (error) {
      facts.dropAudit()
      signal.throwIfAborted()
      return onResult('failed', toNavstarError(error, `audit ${stream.url.host}`))
    }
    const { hints, named, gone } = change
    onResult(hints.size + named.size + gone.length > 0 ? 'corrected' : 'unchanged')
    events.onChange(change)
  }

  async #ask(audit: BegunAudit, signal: AbortSignal): Promise<FactsChange> {
    const { connection, stream, facts, clock } = this.#parts
    const { bytes, contentType } = await connection.getState(stream, { signal })
    const snapshot = await reduceSnapshot(bytes, contentType, { source: 'GET_STATE', signal })
    return await inTurns(facts.auditing(audit, snapshot, clock.nowMs()), signal)
  }
}
