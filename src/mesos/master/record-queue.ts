import { NavstarError } from '../../base/error.ts'
import { Wakeup } from '../../base/wakeup.ts'

/**
 * Records that wait for their turn. The master's socket is never paused, as the master keeps what
 * a slow reader does not take: rather does the stream end and begin anew.
 */
export class RecordQueue {
  readonly #maxBytes: number
  readonly #wakeup = new Wakeup()
  readonly #records: Uint8Array[] = []
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** @throws NavstarError MESOS_RESPONSE_TOO_LARGE when more waits than may */
  push(record: Uint8Array): void {
    this.#bytes += record.length
    if (this.#bytes > this.#maxBytes && this.#records.length > 0) {
      throw new NavstarError('MESOS_RESPONSE_TOO_LARGE', {
        attempt: `queue ${this.#records.length} records in ${this.#maxBytes} bytes`,
        hint: 'This host reads too slowly; it subscribes again and keeps what it knows.',
      })
    }
    this.#records.push(record)
    this.#wakeup.wake()
  }

  /** Waits for records. @returns the oldest, at most `most`; @throws the signal's reason */
  async take(most: number, signal: AbortSignal): Promise<readonly Uint8Array[]> {
    while (this.#records.length === 0) await this.#wakeup.wait({ signal })
    signal.throwIfAborted()
    const taken = this.#records.splice(0, most)
    for (const { length } of taken) this.#bytes -= length
    return taken
  }
}
