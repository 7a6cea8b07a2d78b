/** Looks at the kernel's counters again and again, and tries backends that are out. */
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/error.ts'
import type { Log } from '../../base/log.ts'
import { parseServiceKey } from '../../model/vip.ts'
import type { PlaneStatistics } from '../plane.ts'
import type { BackendCounters } from './evidence.ts'
import { type EndpointKey, endpointKeyOf, HealthEngine } from './health-engine.ts'

/** What {@link HealthWatch} works with. */
export interface HealthWatchParts {
  /** Reads the plane's counters. */
  readonly statistics: () => Promise<PlaneStatistics>
  /** Tries a backend. */
  readonly probe: (key: EndpointKey) => Promise<boolean>
  readonly clock: Clock
  readonly log: Log
  /** Other backends are out than before. */
  readonly onChange: (failing: ReadonlySet<EndpointKey>) => void
  /** These went out just now. */
  readonly onOut?: (out: readonly EndpointKey[]) => void
}

const INTERVAL_MS = 250
/** While nobody connects. */
const IDLE_INTERVAL_MS = 500
/**
 * Reading the counters of very many backends takes a while: at most so much of the time. The quickest
 * of a few readings counts, since on a busy machine most of one is waiting.
 */
const MAX_SHARE = 0.02
const READINGS = 4

/** Keeps a {@link HealthEngine} supplied while it runs. */
export class HealthWatch {
  readonly engine: HealthEngine = new HealthEngine()
  readonly #parts: HealthWatchParts
  readonly #probing = new Set<EndpointKey>()
  #isFailing = false
  #isIdle = false
  /** All that there ever were, at the last look. */
  #attempts = 0

  constructor(parts: HealthWatchParts) {
    this.#parts = parts
  }

  /** Looks until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts
    let durations: readonly number[] = []
    while (!signal.aborted) {
      const startMs = clock.nowMs()
      await this.#look()
      durations = [...durations.slice(1 - READINGS), clock.nowMs() - startMs]
      const durationMs = Math.min(...durations)
      const intervalMs = this.#isIdle ? IDLE_INTERVAL_MS : INTERVAL_MS
      const waitMs = Math.max(intervalMs, durationMs / MAX_SHARE)
      await clock.sleep(waitMs, { signal }).catch(() => undefined) // aborted: the loop ends
    }
  }

  async #look(): Promise<void> {
    const { statistics, clock, log } = this.#parts
    try {
      const counters = countersOf(await statistics())
      const before = this.engine.ejected.size
      this.#isIdle = this.#hasNoNews(counters)
      const out = this.engine.observe(counters, clock.nowMs())
      for (const key of out) {
        const { why = '' } = this.engine.ejected.get(key) ?? {}
        log.warn('a backend takes no new connections', { backend: key, why })
      }
      if (out.length > 0 || this.engine.ejected.size !== before) this.#tell()
      if (out.length > 0) this.#parts.onOut?.(out)
      this.#isFailing = false
    } catch (error) {
      if (!this.#isFailing) log.warn('health cannot be seen', { cause: messageOf(error) })
      this.#isFailing = true
    }
    for (const key of this.engine.dueProbes(clock.nowMs())) void this.#probe(key)
  }

  /** Whether nobody connected since the last look, nor waits. */
  #hasNoNews(all: ReadonlyMap<EndpointKey, BackendCounters>): boolean {
    let attempts = 0
    let pending = 0
    for (const counters of all.values()) {
      attempts += counters.connections + counters.failures
      pending += counters.pending
    }
    const hasNone = attempts === this.#attempts && pending === 0
    this.#attempts = attempts
    return hasNone
  }

  async #probe(key: EndpointKey): Promise<void> {
    if (this.#probing.has(key)) return
    this.#probing.add(key)
    const { probe, clock, log } = this.#parts
    const isAnswered = await probe(key).catch(() => false) // e.g. no socket left: not its answer
    this.#probing.delete(key)
    if (!this.engine.noteProbe(key, isAnswered, clock.nowMs())) return
    log.warn('a backend answers again', { backend: key })
    this.#tell()
  }

  #tell(): void {
    this.#parts.onChange(new Set(this.engine.ejected.keys()))
  }
}

/** Sums over all services; backends whose failures nobody counts are left out. */
function countersOf(statistics: PlaneStatistics): Map<EndpointKey, BackendCounters> {
  const all = new Map<EndpointKey, BackendCounters>()
  for (const [service, backends] of statistics) {
    const { protocol } = parseServiceKey(service)
    for (const backend of backends) {
      const { connectTimes, failures, pendingConnections } = backend
      const connections = connectTimes?.reduce((total, count) => total + count) // established ones
      if (connections === undefined || failures === undefined) continue
      const key = endpointKeyOf(protocol, backend)
      const sum = all.get(key) ?? { connections: 0, failures: 0, pending: 0 }
      all.set(key, {
        connections: sum.connections + connections,
        failures: sum.failures + failures,
        pending: sum.pending + (pendingConnections ?? 0),
      })
    }
  }
  return all
}
