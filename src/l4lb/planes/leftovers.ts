/**
 * What planes that do not serve have left in the kernel: it takes no new connection, and goes when
 * nothing needs it any more.
 */
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { Wakeup } from '../../base/wakeup.ts'
import type { PlaneKind } from '../plane.ts'
import type { Remains } from './remains.ts'

/** What {@link Leftovers} works with. */
export interface LeftoversParts {
  /** Planes that work on this host: others cannot have left anything. */
  readonly kinds: readonly PlaneKind[]
  /** The plane that serves. */
  readonly active: () => PlaneKind
  /** Whether it serves all that it should: before, what others left may be all that serves. */
  readonly isReady: () => boolean
  readonly open: (kind: PlaneKind) => Promise<Remains>
  readonly clock: Clock
  readonly log: Log
}

/** How long open sockets may use what their plane shows them. */
const KEEP_MS = 3_600_000
const INTERVAL_MS = 60_000
const UNTIL_READY_MS = 500

/** Retires planes, and sweeps them later. Its methods must not run at the same time. */
export class Leftovers {
  readonly #parts: LeftoversParts
  /** Since when each is known to be retired. */
  readonly #sinceMs = new Map<PlaneKind, number>()
  readonly #wakeup = new Wakeup()

  constructor(parts: LeftoversParts) {
    this.#parts = parts
  }

  /** Retired planes of which something is left in the kernel. */
  get kinds(): readonly PlaneKind[] {
    return [...this.#sinceMs.keys()]
  }

  /** Another plane serves now, or one that does not may have begun to. */
  wake(): void {
    this.#wakeup.wake()
  }

  /** @throws NavstarError when it could not be retired */
  async retire(kind: PlaneKind): Promise<void> {
    await this.#open(kind, (remains) => this.#retire(remains))
    this.wake()
  }

  /**
   * Looks at each plane that does not serve, when it is time to, until the signal aborts.
   *
   * @param alone runs a look while nothing is switched
   */
  async run(
    signal: AbortSignal,
    alone: (look: () => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const { clock, isReady } = this.#parts
    try {
      while (!isReady()) await clock.sleep(UNTIL_READY_MS, { signal })
      for (;;) {
        await alone(() => this.#look())
        const isIdle = this.#sinceMs.size === 0
        const limit = { clock, timeoutMs: INTERVAL_MS }
        await this.#wakeup.wait(isIdle ? { signal } : { signal, limit })
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  async #look(): Promise<void> {
    const { kinds, active, clock, log } = this.#parts
    this.#sinceMs.delete(active())
    for (const kind of kinds.filter((each) => each !== active())) {
      try {
        await this.#open(kind, async (remains) => {
          await this.#retire(remains)
          const sinceMs = this.#sinceMs.get(kind)
          if (sinceMs === undefined || clock.nowMs() - sinceMs < KEEP_MS) return
          if (!(await remains.sweep())) return
          this.#sinceMs.delete(kind)
          log.info('removed what a plane left in the kernel', { plane: kind })
        })
      } catch (error) {
        if (!this.#sinceMs.has(kind)) this.#sinceMs.set(kind, clock.nowMs()) // so that it is tried again
        log.warn('what a plane left cannot be taken away yet', { plane: kind, error })
      }
    }
  }

  async #retire(remains: Remains): Promise<void> {
    const isLeft = await remains.retire()
    if (!isLeft) this.#sinceMs.delete(remains.kind)
    else if (!this.#sinceMs.has(remains.kind)) {
      this.#sinceMs.set(remains.kind, this.#parts.clock.nowMs())
      this.#parts.log.info('a plane takes no new connections any more', { plane: remains.kind })
    }
  }

  async #open(kind: PlaneKind, use: (remains: Remains) => Promise<void>): Promise<void> {
    const remains = await this.#parts.open(kind)
    try {
      await use(remains)
    } finally {
      remains.close()
    }
  }
}
