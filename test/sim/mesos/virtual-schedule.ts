/** Virtual time for a simulated cluster: things happen in order, at once. */
import type { Schedule } from '../../../src/demo/mesos/schedule.ts'
import { EventQueue } from '../event-queue.ts'

/** 2023-11-14, as {@link VirtualClock} has it. */
const EPOCH_MS = 1_700_000_000_000

interface Due {
  isOff: boolean
  readonly run: () => void
}

/** A schedule that runs when it is told to. */
export class VirtualSchedule implements Schedule {
  readonly #queue = new EventQueue<Due>()
  #nowMs = 0

  nowMs(): number {
    return this.#nowMs
  }

  wallMs(): number {
    return EPOCH_MS + Math.round(this.#nowMs)
  }

  after(delayMs: number, run: () => void): () => void {
    const due = { isOff: false, run }
    this.#queue.push(this.#nowMs + Math.max(0, delayMs), due)
    return () => {
      due.isOff = true
    }
  }

  /** Lets time pass. */
  runFor(durationMs: number): void {
    const endMs = this.#nowMs + durationMs
    while (this.#queue.nextMs <= endMs) {
      this.#nowMs = this.#queue.nextMs
      const due = this.#queue.pop()
      if (due?.isOff === false) due.run()
    }
    this.#nowMs = endMs
  }
}
