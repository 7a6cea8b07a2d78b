/** Runs the engine against the world: inputs in order, effects out, and a tick when one is due. */
import type { Clock } from '../base/clock.ts'
import { Wakeup } from '../base/wakeup.ts'
import type { Effect, EngineInput } from './engine/effects.ts'

/** What of the engine is run. */
export interface RunEngine {
  handle(input: EngineInput, nowMs: number): readonly Effect[]
  readonly nextDueMs: number
}

/** What an {@link EngineRunner} works with. */
export interface EngineRunnerParts {
  readonly engine: RunEngine
  readonly clock: Clock
  /** After each input, before its effects are performed. */
  readonly onHandled: () => void
  readonly perform: (effect: Effect) => void
}

/** One running engine. */
export class EngineRunner {
  readonly #parts: EngineRunnerParts
  readonly #inbox: EngineInput[] = []
  readonly #wakeup = new Wakeup()
  #isHandling = false
  /** Until when the loop sleeps. */
  #sleepsUntilMs = Number.NEGATIVE_INFINITY

  constructor(parts: EngineRunnerParts) {
    this.#parts = parts
  }

  /** Handles an input at once; one that an effect brings about comes after the present one. */
  handle(input: EngineInput): void {
    this.#inbox.push(input)
    if (this.#isHandling) return
    this.#isHandling = true
    try {
      for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) {
        this.#handleOne(next)
      }
    } finally {
      this.#isHandling = false
    }
    if (this.#parts.engine.nextDueMs < this.#sleepsUntilMs) this.#wakeup.wake()
  }

  /** Ticks until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { engine, clock } = this.#parts
    while (!signal.aborted) {
      await this.#sleep(signal)
      if (!signal.aborted && clock.nowMs() >= engine.nextDueMs) this.handle({ kind: 'tick' })
    }
  }

  #handleOne(input: EngineInput): void {
    const { engine, clock, onHandled, perform } = this.#parts
    const effects = engine.handle(input, clock.nowMs())
    onHandled()
    for (const effect of effects) perform(effect)
  }

  /** Waits until the engine is due, or a wake-up says that it became due earlier. */
  async #sleep(signal: AbortSignal): Promise<void> {
    const { engine, clock } = this.#parts
    this.#sleepsUntilMs = engine.nextDueMs
    const durationMs = Math.max(0, this.#sleepsUntilMs - clock.nowMs())
    const limit = { clock, timeoutMs: Math.min(LONGEST_SLEEP_MS, durationMs) }
    try {
      await this.#wakeup.wait({ signal, limit })
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
}

/** Timers of Node.js hold 31 bits. */
const LONGEST_SLEEP_MS = 3_600_000
