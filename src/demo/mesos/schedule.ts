import type { Clock } from '../../base/clock.ts'
import type { Random } from '../../base/random.ts'

/** When simulated things happen: by the machine's clock or, in tests, by a queue of events. */
export interface Schedule {
  /** Milliseconds that only grow. */
  nowMs(): number
  /** Milliseconds since 1970. */
  wallMs(): number
  /** Runs it later. @returns what calls it off */
  after(delayMs: number, run: () => void): () => void
}

/** What all parts of a simulated cluster share. */
export interface World {
  readonly schedule: Schedule
  readonly random: Random
}

/** A schedule by a clock; what is still due when the signal is aborted never runs. */
export function scheduleOf(clock: Clock, signal: AbortSignal): Schedule {
  const due = new Set<AbortController>()
  const end = (): void => {
    for (const each of due) each.abort()
  }
  signal.addEventListener('abort', end, { once: true })
  return {
    nowMs: () => clock.nowMs(),
    wallMs: () => clock.wallMs(),
    after: (delayMs, run) => {
      const each = new AbortController()
      if (signal.aborted) return () => undefined
      due.add(each)
      const callOff = (): void => void (due.delete(each) && each.abort())
      const arrive = (): void => void (due.delete(each) && run())
      void clock.sleep(delayMs, { signal: each.signal }).then(arrive, () => undefined)
      return callOff
    },
  }
}

/** Messages from one process to another: in order, each after a moment, none after a break. */
export class Wire {
  readonly #world: World
  readonly #latencyMs: number
  /** Under way, oldest first: by the machine's clock two moments may come in either order. */
  #messages: (() => void)[] = []
  #lastMs = 0
  #life = 0
  #isUp = false

  constructor(world: World, latencyMs = 5) {
    this.#world = world
    this.#latencyMs = latencyMs
  }

  get isUp(): boolean {
    return this.#isUp
  }

  /** The connection is made anew; what was under way on an earlier one is lost. */
  connect(): void {
    this.#renew()
    this.#isUp = true
  }

  /** What is under way is lost. */
  break(): void {
    this.#renew()
    this.#isUp = false
  }

  /** Sends; `arrive` runs at the other end. */
  send(arrive: () => void): void {
    if (!this.#isUp) return
    const { schedule, random } = this.#world
    const nowMs = schedule.nowMs()
    const dueMs = Math.max(this.#lastMs, nowMs + this.#latencyMs * (0.5 + random.next()))
    this.#lastMs = dueMs
    const life = this.#life
    this.#messages.push(arrive)
    schedule.after(dueMs - nowMs, () => {
      if (life === this.#life) this.#messages.shift()?.()
    })
  }

  #renew(): void {
    this.#life++
    this.#messages = []
  }
}
