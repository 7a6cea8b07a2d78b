import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Closeable } from '../../base/scope.ts'
import { type Ip, parseIp } from '../../model/ip.ts'
import { type LookupHost, outsideAddress } from '../agent-address.ts'

/** What bounds {@link HostNames}. */
export interface HostNameLimits {
  /** So many are looked up at once: the system's resolver is shared with all file access. */
  readonly maxInFlight: number
  /** So many are remembered; beyond, the longest unused is forgotten. */
  readonly maxNames: number
  /** So many callers wait; beyond, nobody is told: a poll finds out a little later. */
  readonly maxWaiting: number
  /** So long a name is not looked up again. */
  readonly foundTtlMs: number
  /** So long a name that did not resolve is not looked up again. */
  readonly failedTtlMs: number
}

const LIMITS: HostNameLimits = Object.freeze({
  maxInFlight: 2,
  maxNames: 20_000,
  maxWaiting: 20_000,
  foundTtlMs: 300_000,
  failedTtlMs: 30_000,
})

/** What {@link HostNames} work with. */
export interface HostNamesParts {
  readonly lookupHost: LookupHost
  readonly clock: Clock
  readonly log: Log
  readonly limits?: HostNameLimits
}

interface KnownName {
  readonly address: Ip | undefined
  readonly untilMs: number
}

type OnAddress = (address: Ip) => void

/** Addresses of hosts by name, remembered for a while; in order, a few at once. */
export class HostNames implements Closeable {
  readonly #parts: HostNamesParts
  readonly #limits: HostNameLimits
  /** The longest unused first. */
  readonly #known = new Map<string, KnownName>()
  /** Who waits, by name; in the order in which they came. */
  readonly #waiting = new Map<string, OnAddress[]>()
  #waitingCount = 0
  readonly #inFlight = new Set<string>()
  #isClosed = false

  constructor(parts: HostNamesParts) {
    this.#parts = parts
    this.#limits = parts.limits ?? LIMITS
  }

  /** How much is held, for tests and operators. */
  get counts(): { readonly names: number; readonly waiting: number } {
    return { names: this.#known.size, waiting: this.#waitingCount }
  }

  /** Calls back with the address: at once when it is known, never when there is none. */
  whenKnown(hostname: string, onAddress: OnAddress): void {
    const literal = parseIp(hostname)
    const known = literal === undefined ? this.#fresh(hostname) : { address: literal }
    if (known !== undefined) {
      if (known.address !== undefined) onAddress(known.address)
      return
    }
    if (this.#isClosed || this.#waitingCount >= this.#limits.maxWaiting) return
    this.#waitingCount++
    const callbacks = this.#waiting.get(hostname)
    if (callbacks === undefined) this.#waiting.set(hostname, [onAddress])
    else callbacks.push(onAddress)
    this.#goOn()
  }

  /** Nobody is called back any more. */
  close(): void {
    this.#isClosed = true
    this.#waiting.clear()
    this.#waitingCount = 0
  }

  #fresh(hostname: string): KnownName | undefined {
    const known = this.#known.get(hostname)
    if (known === undefined || this.#parts.clock.nowMs() >= known.untilMs) return undefined
    // Used again: it moves to the end of the line.
    this.#known.delete(hostname)
    this.#known.set(hostname, known)
    return known
  }

  #goOn(): void {
    for (const hostname of this.#waiting.keys()) {
      if (this.#inFlight.size >= this.#limits.maxInFlight) return
      if (!this.#inFlight.has(hostname)) this.#lookUp(hostname)
    }
  }

  #lookUp(hostname: string): void {
    this.#inFlight.add(hostname)
    this.#parts.lookupHost(hostname).then(
      (texts) =>
        this.#found(hostname, outsideAddress(texts.flatMap((text) => parseIp(text) ?? []))),
      (error: unknown) => this.#found(hostname, undefined, error),
    )
  }

  #found(hostname: string, address: Ip | undefined, error?: unknown): void {
    const { clock, log } = this.#parts
    const { foundTtlMs, failedTtlMs } = this.#limits
    this.#inFlight.delete(hostname)
    if (this.#isClosed) return
    const before = this.#known.get(hostname)
    const isNews = before === undefined || before.address !== undefined
    if (address === undefined && isNews) {
      log.warn('an agent’s host name does not resolve, its node is not told of news', {
        hostname,
        error,
      })
    }
    const untilMs = clock.nowMs() + (address === undefined ? failedTtlMs : foundTtlMs)
    this.#remember(hostname, { address, untilMs })
    const callbacks = this.#waiting.get(hostname) ?? []
    this.#waiting.delete(hostname)
    this.#waitingCount -= callbacks.length
    if (address !== undefined) for (const onAddress of callbacks) onAddress(address)
    this.#goOn()
  }

  #remember(hostname: string, known: KnownName): void {
    this.#known.delete(hostname)
    this.#known.set(hostname, known)
    const [longestUnused] = this.#known.keys()
    if (this.#known.size > this.#limits.maxNames && longestUnused !== undefined) {
      this.#known.delete(longestUnused)
    }
  }
}
