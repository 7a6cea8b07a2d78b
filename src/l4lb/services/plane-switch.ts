/** Which plane serves, and the change to another one while the daemon runs. */
import type { Registry } from 'prom-client'
import type { Clock } from '../../base/clock.ts'
import { messageOf, NavstarError } from '../../base/error.ts'
import type { Log } from '../../base/log.ts'
import { Serial } from '../../base/serial.ts'
import type { Snapshot } from '../../base/table.ts'
import type { Service, ServiceKey } from '../../model/vip.ts'
import { l4lbMetrics } from '../metrics.ts'
import type { Plane, PlaneKind } from '../plane.ts'
import { Leftovers } from '../planes/leftovers.ts'
import { choosePlane, type PlaneChoice, type PlaneProbe } from '../planes/probe.ts'
import type { Remains } from '../planes/remains.ts'
import type { SwitchablePlane } from '../planes/switchable.ts'
import type { WishFile } from '../planes/wish-file.ts'

/** What a {@link PlaneSwitch} works with. */
export interface PlaneSwitchParts {
  readonly plane: SwitchablePlane
  /** Why this plane was chosen at the start. */
  readonly choice: PlaneChoice
  /** What trying the planes gave at the start. */
  readonly probes: readonly PlaneProbe[]
  readonly configured: 'auto' | PlaneKind
  readonly wishes: WishFile
  readonly services: () => Snapshot<ServiceKey, Service>
  /** Whether the kernel is as it should be. */
  readonly isInSync: () => boolean
  readonly probe: () => Promise<readonly PlaneProbe[]>
  readonly open: (kind: PlaneKind) => Promise<Plane>
  /** @param beforeDetaching runs before `ebpf` ceases to take connections */
  readonly openRemains: (
    kind: PlaneKind,
    beforeDetaching: () => Promise<unknown>,
  ) => Promise<Remains>
  /** Makes conntrack know of the open connections to the backends of these services. */
  readonly trackOpen: (services: Iterable<Service>) => Promise<unknown>
  /** Ends flows of UDP to backends that these services have no more. */
  readonly endStrays: (services: Iterable<Service>) => Promise<unknown>
  readonly clock: Clock
  readonly log: Log
  readonly registry: Registry
  /** Aborted when the daemon ends. */
  readonly signal: AbortSignal
}

/** What a switch did. */
export interface PlaneSwitched {
  readonly kind: PlaneKind
  /** The plane before; the same when there was nothing to do. */
  readonly before: PlaneKind
  /** What to know about the next start, or about what is left to do. */
  readonly note?: string
}

/** Switches planes, one switch after another, and takes away what is left of those before. */
export class PlaneSwitch {
  readonly #parts: PlaneSwitchParts
  readonly #log: Log
  readonly #leftovers: Leftovers
  readonly #serial = new Serial()
  #choice: PlaneChoice

  constructor(parts: PlaneSwitchParts) {
    const { plane, services, isInSync, clock, probes, openRemains } = parts
    this.#parts = parts
    this.#choice = parts.choice
    this.#log = parts.log.child('l4lb')
    this.#leftovers = new Leftovers({
      active: () => plane.kind,
      isReady: () => isInSync() && services().isComplete,
      kinds: probes.filter(({ isUsable }) => isUsable).map(({ kind }) => kind),
      open: (kind) => openRemains(kind, () => this.#trackOpen()),
      ...{ clock, log: this.#log },
    })
  }

  /** The plane that serves now, and why. */
  get choice(): PlaneChoice {
    return this.#choice
  }

  /** Planes that take no new connections, of which something is left in the kernel. */
  get retired(): readonly PlaneKind[] {
    return this.#leftovers.kinds
  }

  /** Takes away what is left of other planes until the signal aborts. */
  run(signal: AbortSignal): Promise<void> {
    return this.#leftovers.run(signal, (look) => this.#serial.run(look))
  }

  /**
   * Serves by another plane from now on, also after the next start unless it is configured
   * otherwise. `auto` takes the first that works, and forgets what was asked for before.
   *
   * @throws NavstarError `PLANE_UNAVAILABLE`, `PLANE_SWITCH_FAILED`: the plane before serves on
   */
  switchTo(wanted: 'auto' | PlaneKind): Promise<PlaneSwitched> {
    return this.#serial.run(() => this.#switchTo(wanted))
  }

  async #switchTo(wanted: 'auto' | PlaneKind): Promise<PlaneSwitched> {
    const { plane, configured, probe, wishes, registry } = this.#parts
    const before = plane.kind
    const wish = wanted === 'auto' ? undefined : wanted
    const choice = choosePlane(await probe(), { configured: wanted })
    const { kind, reason } = choice
    const notes: string[] = []
    if (kind !== before) {
      const metrics = l4lbMetrics(registry)
      try {
        notes.push(...(await this.#exchange(kind)))
      } catch (error) {
        metrics.onSwitch(kind, 'failed')
        this.#log.warn('another plane could not take over', { plane: kind, before, error })
        throw error
      } finally {
        this.#leftovers.wake()
      }
      metrics.onSwitch(kind, 'done')
      metrics.onPlane(kind)
      this.#log.info('switched to another plane', { plane: kind, before, reason })
    }
    const why = wish === undefined ? choice.why : 'navstar plane switch asked for it'
    this.#choice = { kind, isUsable: true, reason, why }
    await wishes.write(wish).catch((error: unknown) => {
      notes.push(`the next start does not know of it: ${messageOf(error)}`)
    })
    if (configured !== 'auto' && configured !== kind) {
      notes.push(`the next start serves by ${configured} again, since --plane ${configured} is set`)
    }
    return { kind, before, ...(notes.length > 0 && { note: notes.join('; ') }) }
  }

  /** Without it only those that meet the port of an open connection would fail: it goes on then. */
  async #trackOpen(): Promise<void> {
    const { services, trackOpen } = this.#parts
    try {
      await trackOpen(services().rows.values())
    } catch (error) {
      this.#log.warn('open connections are not tracked; new ones may meet their ports', { error })
    }
  }

  /** What left while the plane was retired; from now on it does that itself. */
  async #endStrays(): Promise<void> {
    const { services, endStrays } = this.#parts
    try {
      await endStrays(services().rows.values())
    } catch (error) {
      this.#log.warn('flows to backends that left stay until they are silent', { error })
    }
  }

  /** @returns what was left undone */
  async #exchange(kind: PlaneKind): Promise<readonly string[]> {
    const { plane, services, open, signal } = this.#parts
    const before = plane.kind
    const next = await open(kind).catch((cause: unknown) => {
      throw new NavstarError('PLANE_SWITCH_FAILED', { attempt: `open plane ${kind}`, cause })
    })
    try {
      const retire = (old: PlaneKind) => this.#leftovers.retire(old)
      await plane.switchTo({ next, desired: services, retire, signal })
      await this.#endStrays()
      return []
    } catch (error) {
      if (plane.kind !== kind) throw error
      return [`${before} takes connections still, which is tried again: ${messageOf(error)}`]
    }
  }
}
