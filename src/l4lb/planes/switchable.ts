/**
 * A plane that can be exchanged for another one while it serves.
 *
 * The new plane gets everything that is desired before it counts, and the old one goes on until
 * then. For a moment both serve: each connection is translated once all the same, since a
 * destination that one of them has translated is no VIP for the other. `docs/adr/0009` tells why.
 */
import type { Clock } from '../../base/clock.ts'
import { NavstarError } from '../../base/error.ts'
import { Serial } from '../../base/serial.ts'
import type { Snapshot } from '../../base/table.ts'
import type { Service, ServiceKey } from '../../model/vip.ts'
import { planOperations } from '../plan.ts'
import type {
  OperationOutcome,
  Plane,
  PlaneChange,
  PlaneKind,
  PlaneObservation,
  PlaneOperation,
  PlaneStatistics,
  UnsupportedOption,
} from '../plane.ts'

/** What a switch goes by. */
export interface SwitchOrder {
  /** Open, and this plane's from now on, whatever becomes of the switch. */
  readonly next: Plane
  /** Asked once nothing else is being changed. */
  readonly desired: () => Snapshot<ServiceKey, Service>
  /** Lets the plane of a kind take no new connection. */
  readonly retire: (kind: PlaneKind) => Promise<unknown>
  /** Once it is aborted, nothing is retired: the next daemon does it. */
  readonly signal: AbortSignal
}

/** A packet that left its socket before the new plane was there reaches the old one within this. */
const SETTLE_MS = 250

/** One round does it, unless others write meanwhile. */
const MAX_ROUNDS = 3

/** Serves by one plane, later by another. */
export class SwitchablePlane implements Plane {
  #plane: Plane
  readonly #clock: Clock
  /** A change is made by one plane, from its beginning to its end. */
  readonly #changes = new Serial()
  readonly #switches = new Serial()
  #listener: ((change: PlaneChange) => void) | undefined

  constructor(plane: Plane, clock: Clock) {
    this.#plane = plane
    this.#clock = clock
  }

  /** The plane that serves now. */
  get kind(): PlaneKind {
    return this.#plane.kind
  }

  render(service: Service): string {
    return this.#plane.render(service)
  }

  unsupported(service: Service): readonly UnsupportedOption[] {
    return this.#plane.unsupported(service)
  }

  statistics(): Promise<PlaneStatistics> {
    return this.#plane.statistics()
  }

  observe(): Promise<PlaneObservation> {
    return this.#changes.run(() => this.#plane.observe())
  }

  apply(operations: readonly PlaneOperation[]): Promise<readonly OperationOutcome[]> {
    return this.#changes.run(() => this.#plane.apply(operations))
  }

  audit(): Promise<boolean> {
    return this.#changes.run(() => this.#plane.audit())
  }

  onChange(listener: (change: PlaneChange) => void): void {
    this.#listener = listener
    this.#listenTo(this.#plane)
  }

  close(): Promise<void> {
    return this.#switches.run(() => this.#plane.close())
  }

  /**
   * Serves by another plane from now on; the listener then hears of a change that is nobody's drift.
   *
   * @throws NavstarError `PLANE_SWITCH_FAILED`: the plane before goes on as if nothing had been; or
   * what `retire` throws: the new one serves, and the old one takes connections still
   */
  switchTo(order: SwitchOrder): Promise<void> {
    return this.#switches.run(async () => {
      const old = await this.#changes.run(() => this.#exchange(order))
      try {
        await this.#clock.sleep(SETTLE_MS, { signal: order.signal })
        await order.retire(old.kind)
      } finally {
        await old.close()
      }
    })
  }

  /** @returns the plane before */
  async #exchange({ next, desired, retire }: SwitchOrder): Promise<Plane> {
    const old = this.#plane
    this.#listenTo(next)
    try {
      await bringUp(next, desired())
    } catch (cause) {
      const attempt = `serve by ${next.kind} instead of ${old.kind}`
      if (next.kind !== old.kind) await retire(next.kind).catch(() => undefined) // the cause counts
      await next.close()
      throw new NavstarError('PLANE_SWITCH_FAILED', { attempt, cause })
    }
    this.#plane = next
    this.#listener?.({ subject: `plane ${next.kind}`, isOwn: false })
    return old
  }

  /** Hears of a plane's changes while it is the one that serves, or is about to. */
  #listenTo(plane: Plane): void {
    plane.onChange((change) => {
      if (plane === this.#plane) this.#listener?.(change)
    })
  }
}

/** Makes the plane serve exactly what is desired, and looks whether it does. */
async function bringUp(
  plane: Plane,
  { rows, isComplete }: Snapshot<ServiceKey, Service>,
): Promise<void> {
  if (!isComplete) throw new Error('what is to be served is not known completely yet')
  for (let round = 0; ; round++) {
    const observed = await plane.observe()
    const operations = planOperations({ desired: rows, observed, plane, mayPrune: true })
    if (operations.length === 0) return
    if (round === MAX_ROUNDS) throw new Error(`${operations.length} operations are left to do`)
    for (const { error } of await plane.apply(operations)) if (error !== undefined) throw error
  }
}
