/**
 * From what the records want to what the plane is given: how near, how well and how new a backend is
 * changes its weight. No I/O and no clock.
 */
import type { Ip } from '../../model/ip.ts'
import { type Backend, formatEndpoint, type Service, type ServiceKey } from '../../model/vip.ts'
import { type EndpointKey, endpointKeyOf } from '../health/health-engine.ts'
import { spare } from '../health/panic.ts'
import type { ServiceChanges } from './desired-services.ts'
import { preferNear } from './locality.ts'
import { isWarming, SLOW_START_STEP_SHARE, warmUp } from './slow-start.ts'

/** When a backend of a service last began or ceased to take connections, by endpoint; older: absent. */
export type TurnTimes = ReadonlyMap<string, number>

interface Shaped {
  /** As the records want it. */
  readonly wanted: Service
  /** As the plane is given it; the same object where nothing is shaped. */
  readonly given: Service
  readonly isPanicking: boolean
  readonly turns: TurnTimes
}

/** Shapes services, and again when health or time changes. */
export class ServiceShaper {
  readonly #services = new Map<ServiceKey, Shaped>()
  /** Services with a backend that has not its full share yet. */
  readonly #warming = new Set<ServiceKey>()
  #failing: ReadonlySet<EndpointKey> = new Set()
  #isSettled = false

  /** As the records want it, before shaping. */
  wanted(key: ServiceKey): Service | undefined {
    return this.#services.get(key)?.wanted
  }

  /** Whether so many backends fail that all are kept. */
  isPanicking(key: ServiceKey): boolean {
    return this.#services.get(key)?.isPanicking === true
  }

  /** Since when its backends take connections or do not, as far as that changed. */
  turnsOf(key: ServiceKey): TurnTimes {
    return this.#services.get(key)?.turns ?? NO_TURNS
  }

  /** From now on backends that come are new; those until now were there before this daemon. */
  settle(): void {
    this.#isSettled = true
  }

  /** Shapes what the records changed. */
  update(changes: ServiceChanges, nowMs: number): ServiceChanges {
    const given = new Map<ServiceKey, Service | undefined>()
    for (const [key, wanted] of changes) {
      if (wanted !== undefined) this.#shape(key, wanted, nowMs)
      else this.#delete(key)
      given.set(key, this.#services.get(key)?.given)
    }
    return given
  }

  /** Backends that fail now. @returns services that change by it */
  setFailing(failing: ReadonlySet<EndpointKey>, nowMs: number): ServiceChanges {
    const turned = differenceOf(this.#failing, failing)
    this.#failing = failing
    if (turned.size === 0) return NO_CHANGES
    const addresses = new Set([...turned].map(addressOf))
    const isTouched = ({ wanted: { protocol, backends } }: Shaped) =>
      backends.some(
        (each) => addresses.has(each.address) && turned.has(endpointKeyOf(protocol, each)),
      )
    const touched = [...this.#services].filter(([, shaped]) => isTouched(shaped))
    return this.#reshape(
      touched.map(([key]) => key),
      nowMs,
    )
  }

  /** Time went on. @returns services with backends that come to their share */
  tick(nowMs: number): ServiceChanges {
    return this.#reshape([...this.#warming], nowMs)
  }

  /** How long until {@link ServiceShaper.tick} has something to do; infinite when nothing. */
  get tickMs(): number {
    const times = [...this.#warming].map((key) => {
      const seconds = this.#services.get(key)?.wanted.options?.slowStartSeconds ?? 0
      return seconds * 1000 * SLOW_START_STEP_SHARE
    })
    return Math.min(...times)
  }

  #reshape(keys: Iterable<ServiceKey>, nowMs: number): ServiceChanges {
    const changes = new Map<ServiceKey, Service | undefined>()
    for (const key of keys) {
      const before = this.#services.get(key)
      if (before === undefined) continue
      const given = this.#shape(key, before.wanted, nowMs)
      if (!isSameWeights(before.given, given)) changes.set(key, given)
    }
    return changes
  }

  #shape(key: ServiceKey, wanted: Service, nowMs: number): Service {
    const isFailing = (backend: Backend) =>
      this.#failing.size > 0 && this.#failing.has(endpointKeyOf(wanted.protocol, backend))
    const { service: spared, isPanicking } = spare(wanted, isFailing)
    const near = preferNear(spared)
    const turns = this.#turnsOf(key, near, nowMs)
    const given = warmUp(near, turns, nowMs)
    this.#services.set(key, { wanted, given, isPanicking, turns })
    if (isWarming(near, turns, nowMs)) this.#warming.add(key)
    else this.#warming.delete(key)
    return given
  }

  #turnsOf(key: ServiceKey, { backends }: Service, nowMs: number): TurnTimes {
    if (!this.#isSettled) return NO_TURNS
    const before = this.#services.get(key)
    const activity = new Map(
      before?.given.backends.map((each) => [formatEndpoint(each), each.weight > 0] as const),
    )
    const turns = new Map<string, number>()
    for (const backend of backends) {
      const endpoint = formatEndpoint(backend)
      const isTurned = activity.get(endpoint) !== backend.weight > 0
      const sinceMs = isTurned ? nowMs : before?.turns.get(endpoint)
      if (sinceMs !== undefined) turns.set(endpoint, sinceMs)
    }
    return turns.size === 0 ? NO_TURNS : turns
  }

  #delete(key: ServiceKey): void {
    this.#services.delete(key)
    this.#warming.delete(key)
  }
}

const NO_TURNS: TurnTimes = new Map()
const NO_CHANGES: ServiceChanges = new Map()

function differenceOf(one: ReadonlySet<EndpointKey>, other: ReadonlySet<EndpointKey>) {
  const only = [...one].filter((key) => !other.has(key))
  return new Set([...only, ...[...other].filter((key) => !one.has(key))])
}

/** `tcp/[fd01::1]:80` → `fd01::1`. */
function addressOf(key: EndpointKey): Ip {
  const endpoint = key.slice(key.indexOf('/') + 1)
  return endpoint.slice(0, endpoint.lastIndexOf(':')).replace(/^\[|\]$/g, '') as Ip
}

function isSameWeights(one: Service, other: Service): boolean {
  return one.backends.every(({ weight }, index) => other.backends[index]?.weight === weight)
}
