/**
 * Ends flows that conntrack sends on to a backend, when their time has come.
 *
 * The rules choose when a flow begins; conntrack then keeps it with its backend as long as packets
 * come. Without its entry the next packet is chosen for anew: one of UDP goes to another backend, one
 * of a TCP connection meets a reset there, or is rejected. Only flows through this very VIP are meant.
 */
import type { Clock } from '../../../base/clock.ts'
import { messageOf } from '../../../base/error.ts'
import type { Log } from '../../../base/log.ts'
import type { Conntrack, ConntrackFlow } from '../../../kernel/conntrack.ts'
import { parseServiceKey, type Service, type ServiceKey } from '../../../model/vip.ts'
import { endStrayFlows } from '../stray-flows.ts'
import { textOf } from './left-members.ts'
import type { Member } from './observe.ts'

/** What {@link FlowEndings} works with. */
export interface FlowEndingsParts {
  readonly conntrack: Conntrack
  readonly clock: Clock
  readonly log: Log
  /** The service as it is served now. */
  readonly serviceOf: (key: ServiceKey) => Service
  /** The flows of these are ended. */
  readonly onEnded: (members: readonly Member[]) => void
}

/**
 * An answer that is on its way still arrives. A tenth of a second after a backend left, nothing may
 * point to it.
 */
export const LAST_WORDS_MS = 30

/** A packet that was between two look-ups when its backend left has made its entry by then. */
const SECOND_PASS_MS = 30
const PASSES = 2

const RETRY_MS = 1_000
const ATTEMPTS = 10

interface Ending {
  readonly member: Member
  readonly dueMs: number
  readonly passes: number
  readonly attempts: number
}

/** The endings that are to come. */
export class FlowEndings {
  readonly #parts: FlowEndingsParts
  readonly #endings = new Map<string, Ending>()
  readonly #suspects = new Set<ServiceKey>()
  #suspectsDueMs = 0
  #cancelTimer: (() => void) | undefined
  #timerDueMs = Number.POSITIVE_INFINITY
  #isRunning = false
  #isClosed = false

  constructor(parts: FlowEndingsParts) {
    this.#parts = parts
  }

  /** Whether its flows are to be ended. */
  has(member: Member): boolean {
    return this.#endings.has(textOf(member))
  }

  /** Ends its flows after this long, or earlier where that was said before. */
  schedule(member: Member, delayMs: number): void {
    const dueMs = this.#parts.clock.nowMs() + Math.max(delayMs, LAST_WORDS_MS)
    const known = this.#endings.get(textOf(member))
    if (known !== undefined && known.dueMs <= dueMs) return
    this.#endings.set(textOf(member), { member, dueMs, passes: 0, attempts: 0 })
    this.#armFor(dueMs)
  }

  /** Its flows go on. */
  cancel(member: Member): void {
    this.#endings.delete(textOf(member))
  }

  /** Ends flows of UDP of the service that lead to none of its backends, soon. */
  suspect(key: ServiceKey): void {
    if (this.#suspects.size === 0) {
      this.#suspectsDueMs = this.#parts.clock.nowMs() + LAST_WORDS_MS
    }
    this.#suspects.add(key)
    this.#armFor(this.#suspectsDueMs)
  }

  close(): void {
    this.#isClosed = true
    this.#cancelTimer?.()
  }

  /** Runs at the first due time of all; asked after a run only, since it looks at each. */
  #arm(): void {
    const dues = [...this.#endings.values()].map(({ dueMs }) => dueMs)
    if (this.#suspects.size > 0) dues.push(this.#suspectsDueMs)
    const dueMs = dues.reduce((first, each) => Math.min(first, each), Number.POSITIVE_INFINITY)
    if (dueMs < Number.POSITIVE_INFINITY) this.#armFor(dueMs)
  }

  /** Runs at this time, unless it does so earlier; a run with nothing to do does no harm. */
  #armFor(dueMs: number): void {
    if (this.#isClosed || this.#isRunning || this.#timerDueMs <= dueMs) return
    this.#cancelTimer?.()
    this.#timerDueMs = dueMs
    const delayMs = Math.max(0, dueMs - this.#parts.clock.nowMs())
    this.#cancelTimer = this.#parts.clock.after(delayMs, () => void this.#run())
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    this.#timerDueMs = Number.POSITIVE_INFINITY
    const nowMs = this.#parts.clock.nowMs()
    const due = [...this.#endings].filter(([, { dueMs }]) => dueMs <= nowMs)
    try {
      await this.#end(due.map(([, { member }]) => member))
      for (const [text, ending] of due) this.#pass(text, ending)
    } catch (error) {
      this.#retry(due, error)
    }
    await this.#endStrays(nowMs)
    this.#isRunning = false
    this.#arm()
  }

  async #end(members: readonly Member[]): Promise<void> {
    if (members.length === 0) return
    const flows = members.map(({ key, backend }): ConntrackFlow => {
      const { protocol, address, port } = parseServiceKey(key)
      return { protocol, originalDestination: { address, port }, replySource: backend }
    })
    const ended = await this.#parts.conntrack.delete(flows)
    if (ended > 0) this.#parts.log.info('flows to backends that left are ended', { flows: ended })
  }

  #pass(text: string, ending: Ending): void {
    if (this.#endings.get(text) !== ending) return // cancelled, or said anew
    const passes = ending.passes + 1
    if (passes < PASSES) {
      const dueMs = this.#parts.clock.nowMs() + SECOND_PASS_MS
      this.#endings.set(text, { ...ending, passes, dueMs })
      return
    }
    this.#endings.delete(text)
    this.#parts.onEnded([ending.member])
  }

  #retry(due: readonly (readonly [string, Ending])[], error: unknown): void {
    const { clock, log } = this.#parts
    if (this.#isClosed) return
    for (const [text, ending] of due) {
      if (this.#endings.get(text) !== ending) continue
      const attempts = ending.attempts + 1
      const dueMs = clock.nowMs() + RETRY_MS
      if (attempts < ATTEMPTS) this.#endings.set(text, { ...ending, attempts, dueMs })
      else this.#endings.delete(text)
    }
    log.warn('flows to backends that left could not be ended', { cause: messageOf(error) })
  }

  async #endStrays(nowMs: number): Promise<void> {
    if (this.#suspects.size === 0 || this.#suspectsDueMs > nowMs) return
    const { conntrack, log, serviceOf } = this.#parts
    const keys = [...this.#suspects]
    this.#suspects.clear()
    try {
      const ended = await endStrayFlows(conntrack, keys.map(serviceOf))
      if (ended > 0) log.info('flows to backends that left are ended', { flows: ended })
    } catch (error) {
      if (!this.#isClosed) log.warn('stray flows stay', { cause: messageOf(error) })
    }
  }
}
