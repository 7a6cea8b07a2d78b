/**
 * Frames of all streams are handled in turns, a bounded amount in each turn of the event loop, so
 * that a large transfer never keeps datagrams and timers waiting.
 */
import type { Clock } from '../../base/clock.ts'
import type { Scope } from '../../base/scope.ts'
import { endOfTurn } from '../../base/turn.ts'

/** What is handled at most in one turn; one frame may go beyond. */
const TURN_BYTES = 262_144
const TURN_MS = 5

/** A stream that may have whole frames. */
export interface FrameSource {
  /** Handles one frame. @returns its bytes; 0 when none is whole */
  handleFrame(): number
}

/** The turns of all streams. */
export class FairTurns {
  readonly #clock: Clock
  readonly #scope: Scope
  readonly #ready = new Set<FrameSource>()
  #isRunning = false

  constructor(clock: Clock, scope: Scope) {
    this.#clock = clock
    this.#scope = scope
  }

  /** Handles the source's frames, now or when its turn comes. @returns whether all are handled */
  add(source: FrameSource): boolean {
    this.#ready.add(source)
    if (!this.#isRunning) {
      this.#isRunning = true
      this.#scope.run(() => this.#run())
    }
    return !this.#ready.has(source)
  }

  /** The source is gone. */
  remove(source: FrameSource): void {
    this.#ready.delete(source)
  }

  async #run(): Promise<void> {
    try {
      do {
        this.#handleSome()
        await endOfTurn()
      } while (this.#ready.size > 0 && !this.#scope.signal.aborted)
    } finally {
      this.#isRunning = false
    }
  }

  /** One frame of each in turn, until the turn is used up. */
  #handleSome(): void {
    const startMs = this.#clock.nowMs()
    let bytes = 0
    for (const source of this.#ready) {
      this.#ready.delete(source)
      const handled = source.handleFrame()
      // Goes behind all others; the loop comes to it again.
      if (handled > 0) this.#ready.add(source)
      bytes += handled
      if (bytes >= TURN_BYTES || this.#clock.nowMs() - startMs >= TURN_MS) return
    }
  }
}
