/**
 * An agent that is said to be gone for good while this node lives on. Its tasks are withdrawn when
 * two things come together: somebody said so, and the agent cannot be reached. Ids of agents are
 * never used again, so what was said of one holds for a while; it never holds for another.
 */
import type { Clock } from '../base/clock.ts'
import type { NavstarError } from '../base/error.ts'
import type { Log } from '../base/log.ts'

/** What was said, and by whom. */
export interface GoneNotice {
  /** Mesos' id of the agent. */
  readonly agent: string
  /** E.g. `node 0123abcd…`, `the leading master`. */
  readonly by: string
}

/** An agent that is told to end still answers for a moment; what was said holds for so long. */
const BELIEVED_MS = 600_000

/** Decides whether the tasks of the polled agent are to be withdrawn. */
export class GoneAgentWatch {
  readonly #clock: Clock
  readonly #log: Log
  #said: (GoneNotice & { readonly atMs: number }) | undefined
  #hasAnswered = false

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
  }

  /** @param present the id that the agent had when it last answered, if that is known */
  note(gone: GoneNotice, present: string | undefined): void {
    if (present !== undefined && present !== gone.agent) {
      this.#log.info('an agent at this address is gone for good, but it is not the present one', {
        ...gone,
        present,
      })
      return
    }
    this.#said = { ...gone, atMs: this.#clock.nowMs() }
    this.#hasAnswered = false
  }

  /** The agent answered. @param present its id, if it tells one */
  onAnswer(present: string | undefined): void {
    const said = this.#said
    if (said === undefined) return
    if (!this.#hasAnswered) {
      const { agent, by } = said
      this.#log.warn('the agent is said to be gone for good, but it answers', { agent, by })
    }
    this.#hasAnswered = true
    const mayBeEnding = present === said.agent && this.#clock.nowMs() - said.atMs < BELIEVED_MS
    if (!mayBeEnding) this.#said = undefined
  }

  /** The agent could not be read. @returns who is gone, if it is to be taken for gone */
  onFailure({ code }: NavstarError): GoneNotice | undefined {
    const said = this.#said
    // what refuses us or is not ready is still there
    if (said === undefined || code !== 'MESOS_UNREACHABLE') return undefined
    if (this.#hasAnswered && this.#clock.nowMs() - said.atMs >= BELIEVED_MS) return undefined
    return { agent: said.agent, by: said.by }
  }
}
