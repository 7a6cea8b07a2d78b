/**
 * Health from traffic: which backends take no new connections because those that there were got no
 * answer. No I/O and no clock: observations and the results of probes go in.
 *
 * A backend that is out is tried by probes, not by clients; the first that it answers brings it back.
 */
import type { Brand } from '../../model/brand.ts'
import type { Protocol } from '../../model/port.ts'
import { type Backend, formatEndpoint } from '../../model/vip.ts'
import {
  type BackendCounters,
  type Evidence,
  firstEvidence,
  freshEvidence,
  gather,
  isFailing,
} from './evidence.ts'

/** A backend over all its VIPs: `tcp/10.0.0.1:8080`. */
export type EndpointKey = Brand<string, 'EndpointKey'>

/** The key of an endpoint. */
export function endpointKeyOf(
  protocol: Protocol,
  endpoint: Pick<Backend, 'address' | 'port'>,
): EndpointKey {
  return `${protocol}/${formatEndpoint(endpoint)}` as EndpointKey
}

/** Why and since when a backend is out. */
export interface Ejection {
  readonly sinceMs: number
  /** E.g. `4 of the last 4 connections got no answer`. */
  readonly why: string
  /** Probes without an answer since. */
  readonly probes: number
  readonly nextProbeMs: number
}

const NEEDED = 3
/** Where other nodes have doubts already. */
const NEEDED_WITH_DOUBTS = 1
const FIRST_PROBE_MS = 250
const MAX_PROBE_INTERVAL_MS = 2_000

/** Turns observations into ejections. */
export class HealthEngine {
  readonly #evidence = new Map<EndpointKey, Evidence>()
  readonly #ejected = new Map<EndpointKey, Ejection>()
  #doubted: ReadonlySet<EndpointKey> = new Set()

  /** Backends that are out. */
  get ejected(): ReadonlyMap<EndpointKey, Ejection> {
    return this.#ejected
  }

  /** What other nodes say of backends: evidence that less of our own must join. */
  noteDoubts(doubted: ReadonlySet<EndpointKey>): void {
    this.#doubted = doubted
  }

  /**
   * Takes the counters of all backends that there are; who is missing is forgotten.
   *
   * @returns backends that went out
   */
  observe(all: ReadonlyMap<EndpointKey, BackendCounters>, nowMs: number): readonly EndpointKey[] {
    for (const key of this.#evidence.keys()) if (!all.has(key)) this.#forget(key)
    const failing: EndpointKey[] = []
    for (const [key, counters] of all) {
      const before = this.#evidence.get(key)
      const evidence = before ? gather(before, counters, nowMs) : firstEvidence(counters, nowMs)
      this.#evidence.set(key, evidence)
      const needed = this.#doubted.has(key) ? NEEDED_WITH_DOUBTS : NEEDED
      if (this.#ejected.has(key) || !isFailing(evidence, needed)) continue
      this.#eject(key, evidence, nowMs)
      failing.push(key)
    }
    return failing
  }

  /** Backends whose probe is due. */
  dueProbes(nowMs: number): readonly EndpointKey[] {
    return [...this.#ejected]
      .filter(([, { nextProbeMs }]) => nextProbeMs <= nowMs)
      .map(([key]) => key)
  }

  /** When the next probe is due. */
  get nextProbeMs(): number {
    return Math.min(...[...this.#ejected.values()].map(({ nextProbeMs }) => nextProbeMs))
  }

  /** What became of a probe. @returns whether the backend is back */
  noteProbe(key: EndpointKey, isAnswered: boolean, nowMs: number): boolean {
    const ejection = this.#ejected.get(key)
    if (ejection === undefined) return false
    if (!isAnswered) {
      const probes = ejection.probes + 1
      const intervalMs = Math.min(FIRST_PROBE_MS * 2 ** probes, MAX_PROBE_INTERVAL_MS)
      this.#ejected.set(key, { ...ejection, probes, nextProbeMs: nowMs + intervalMs })
      return false
    }
    this.#ejected.delete(key)
    const evidence = this.#evidence.get(key)
    if (evidence !== undefined) this.#evidence.set(key, freshEvidence(evidence))
    return true
  }

  #eject(key: EndpointKey, evidence: Evidence, nowMs: number): void {
    const why = whyFailing(evidence)
    const nextProbeMs = nowMs + FIRST_PROBE_MS
    this.#ejected.set(key, { sinceMs: nowMs, why, probes: 0, nextProbeMs })
  }

  #forget(key: EndpointKey): void {
    this.#evidence.delete(key)
    this.#ejected.delete(key)
  }
}

function whyFailing({ good, bad, silentMs, counters }: Evidence): string {
  if (silentMs > 0) return `${counters.pending} connections wait, and nobody gets through`
  return `${Math.round(bad)} of the last ${Math.round(good + bad)} connections got no answer`
}
