/**
 * Follows the leading master through a list of masters: asks one after the other who leads. The
 * leader answers; the others redirect to it.
 */
import { type BackoffPolicy, backoffMs } from '../../base/backoff.ts'
import type { Clock } from '../../base/clock.ts'
import { NavstarError } from '../../base/error.ts'
import type { Random } from '../../base/random.ts'
import { Wakeup } from '../../base/wakeup.ts'
import { waitAtMost } from './deadline.ts'
import { type LeaderView, leaderProblem } from './leader-view.ts'
import { isSameMaster, type MasterAddress } from './master-address.ts'
import type { AskMaster } from './who-leads.ts'

/** What a {@link ListFollower} is made of. */
export interface ListParts {
  readonly view: LeaderView
  /** The list as it is now; never empty. @throws NavstarError */
  readonly masters: () => Promise<readonly MasterAddress[]>
  readonly ask: AskMaster
  readonly clock: Clock
  readonly random: Random
  readonly timing: ListTiming
}

/** How long things take. */
export interface ListTiming {
  /** From one round to the next while all is well, ± 25 %. */
  readonly intervalMs: number
  readonly backoff: BackoffPolicy
}

/** What holds unless a test says otherwise. */
export const LIST_TIMING: ListTiming = Object.freeze({
  intervalMs: 15_000,
  backoff: Object.freeze({ baseMs: 500, maxMs: 10_000 }),
})

/** Follows one list. */
export class ListFollower {
  readonly #parts: ListParts
  readonly #wakeup = new Wakeup()
  #failures = 0

  constructor(parts: ListParts) {
    this.#parts = parts
  }

  /** Asks again soon, as the leader or the list may have changed. */
  refresh(): void {
    this.#wakeup.wake()
  }

  /** Follows until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const timeoutMs = await this.#round(signal)
      const { clock } = this.#parts
      await waitAtMost({ clock, timeoutMs, signal }, (options) => this.#wakeup.wait(options)).catch(
        () => undefined,
      )
    }
  }

  /** @returns how long to wait for the next one */
  async #round(signal: AbortSignal): Promise<number> {
    const { view, random, timing } = this.#parts
    try {
      view.found(await this.#leader(signal))
      this.#failures = 0
      return timing.intervalMs * (0.75 + random.next() / 2)
    } catch (error) {
      if (!signal.aborted) view.lost(leaderProblem(error, 'ask the masters who leads'))
      return backoffMs(timing.backoff, this.#failures++, random)
    }
  }

  /** The last known leader is asked first, though it need not be in the list. */
  async #leader(signal: AbortSignal): Promise<MasterAddress> {
    const { masters, ask, view } = this.#parts
    const { leader } = view.status
    const listed = await masters()
    const first = leader === undefined ? [] : [leader]
    const others = listed.filter((master) => !isSameMaster(master, leader))
    const problems: NavstarError[] = []
    for (const master of [...first, ...others]) {
      signal.throwIfAborted()
      try {
        return await ask(master, { signal })
      } catch (error) {
        signal.throwIfAborted()
        problems.push(leaderProblem(error, 'ask a master who leads'))
      }
    }
    throw whyNone(problems)
  }
}

/** Refused credentials and certificates say more than masters that are down. */
function whyNone(problems: readonly NavstarError[]): NavstarError {
  const refused = problems.find(
    ({ code }) => code === 'MESOS_FORBIDDEN' || code === 'MESOS_UNTRUSTED',
  )
  if (refused !== undefined) return refused
  const cause = new Error(problems.map(({ message }) => message).join('; '))
  return new NavstarError('MASTER_UNKNOWN', { attempt: 'ask each master of the list', cause })
}
