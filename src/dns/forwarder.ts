import type { Clock } from '../base/clock.ts'
import { NavstarError } from '../base/error.ts'
import type { Log } from '../base/log.ts'
import type { Endpoint } from '../model/endpoint.ts'
import { formatEndpoint } from '../model/vip.ts'
import { exchangeWith } from './exchange.ts'
import type { DnsMetrics } from './metrics.ts'
import { type Query, RCODE } from './query.ts'
import { encodeResponse, encodeTruncated, responseLimitBytes, type Transport } from './response.ts'
import { WarningLimit } from './warning-limit.ts'

/** How long an upstream is waited for before the next one is asked too. */
export const UPSTREAM_TIMEOUT_MS = 2_000

/** Queries that may wait for upstreams at once; a further one is answered SERVFAIL. */
export const MAX_FORWARDS = 1_024

/** What the forwarder works with. */
export interface ForwarderOptions {
  readonly upstreams: () => Promise<readonly Endpoint[]>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: DnsMetrics
  /** Message ids, 0 to 65535, that nobody can guess. */
  readonly nextId: () => number
  readonly maxInFlight?: number
}

/** A query to relay. */
export interface Forward {
  readonly query: Query
  readonly packet: Buffer
  readonly transport: Transport
}

type Outcome = { readonly kind: 'good' | 'bad'; readonly reply: Buffer } | { readonly kind: 'none' }

interface Race {
  readonly forward: Forward
  /** Exchanges that may still answer. */
  readonly open: Map<Endpoint, Promise<Outcome & { readonly upstream: Endpoint }>>
  bad: Buffer | undefined
}

/**
 * Relays queries to upstream resolvers. They are asked one after another, the next one as soon as
 * one failed or was silent for two seconds; the first good answer (NOERROR, NXDOMAIN) wins, even
 * of one asked earlier. A bad answer (SERVFAIL, REFUSED, …) is passed on when nothing better came.
 */
export class Forwarder {
  readonly #options: ForwarderOptions
  readonly #warnings: WarningLimit
  #inFlight = 0

  constructor(options: ForwarderOptions) {
    this.#options = options
    this.#warnings = new WarningLimit(options.log, options.clock)
  }

  /** The response for the client; SERVFAIL when there is none to be had. Rejects only on abort. */
  async forward(forward: Forward, { signal }: { readonly signal: AbortSignal }): Promise<Buffer> {
    const { metrics, clock, maxInFlight = MAX_FORWARDS } = this.#options
    if (this.#inFlight >= maxInFlight) return this.#refuse(forward, 'overload')
    metrics.forwardsInFlight.set(++this.#inFlight)
    const startMs = clock.nowMs()
    const finished = new AbortController()
    try {
      const upstreams = await this.#options.upstreams()
      if (upstreams.length === 0) return this.#refuse(forward, 'no_upstream')
      const race: Race = { forward, open: new Map(), bad: undefined }
      const reply = await this.#race(race, upstreams, AbortSignal.any([signal, finished.signal]))
      signal.throwIfAborted()
      if (reply === undefined) return this.#refuse(forward, 'all_failed')
      metrics.forwardSeconds.observe((clock.nowMs() - startMs) / 1000)
      return cutToLimit(forward, reply)
    } finally {
      finished.abort(new Error('answered'))
      metrics.forwardsInFlight.set(--this.#inFlight)
    }
  }

  async #race(
    race: Race,
    upstreams: readonly Endpoint[],
    signal: AbortSignal,
  ): Promise<Buffer | undefined> {
    for (const upstream of upstreams) {
      race.open.set(upstream, this.#ask(upstream, race.forward, signal))
      const good = await this.#waitTurn(race, upstream, signal)
      if (good !== undefined) return good
    }
    return race.bad
  }

  /** Waits for a good answer of anyone until `latest` failed or was silent for too long. */
  async #waitTurn(race: Race, latest: Endpoint, signal: AbortSignal): Promise<Buffer | undefined> {
    const { clock, metrics } = this.#options
    const turn = new AbortController()
    const isOver = clock
      .sleep(UPSTREAM_TIMEOUT_MS, { signal: AbortSignal.any([signal, turn.signal]) })
      .then(
        () => undefined,
        () => undefined,
      )
    try {
      while (race.open.has(latest)) {
        const outcome = await Promise.race([isOver, ...race.open.values()])
        if (outcome === undefined) {
          const label = { upstream: formatEndpoint(latest), reason: 'timeout' }
          if (!signal.aborted) metrics.upstreamFailures.inc(label)
          return undefined
        }
        race.open.delete(outcome.upstream)
        if (outcome.kind === 'good') return outcome.reply
        if (outcome.kind === 'bad') race.bad ??= outcome.reply
      }
      return undefined
    } finally {
      turn.abort(new Error('turn over'))
    }
  }

  async #ask(
    upstream: Endpoint,
    forward: Forward,
    signal: AbortSignal,
  ): Promise<Outcome & { readonly upstream: Endpoint }> {
    const fail = (reason: 'unreachable' | 'bad_answer') => {
      if (signal.aborted) return
      this.#options.metrics.upstreamFailures.inc({ upstream: formatEndpoint(upstream), reason })
    }
    try {
      const id = this.#options.nextId()
      const reply = await exchangeWith({ ...forward, upstream, id }, { signal })
      if (isGood(reply)) return { kind: 'good', reply, upstream }
      fail('bad_answer')
      return { kind: 'bad', reply, upstream }
    } catch {
      fail('unreachable')
      return { kind: 'none', upstream }
    }
  }

  #refuse(
    { query, transport }: Forward,
    reason: 'overload' | 'all_failed' | 'no_upstream',
  ): Buffer {
    this.#options.metrics.forwardFailures.inc({ reason })
    const attempt = `forward ${query.question.nameAsAsked || '.'}: ${reason}`
    const error = new NavstarError('DNS_FORWARD_FAILED', { attempt })
    this.#warnings.warn('dns query could not be forwarded', { reason, error })
    return encodeResponse(query, { rcode: 'SERVFAIL' }, responseLimitBytes(query, transport))
  }
}

function isGood(reply: Buffer): boolean {
  const rcode = reply.readUInt16BE(2) & 15
  return rcode === RCODE.NOERROR || rcode === RCODE.NXDOMAIN
}

/** A reply fetched by TCP may be too large for a client that asked by UDP. */
function cutToLimit({ query, transport }: Forward, reply: Buffer): Buffer {
  const sizeBytes = query.edns?.payloadSizeBytes ?? 0
  const limitBytes = Math.max(sizeBytes, responseLimitBytes(query, transport))
  return reply.length <= limitBytes ? reply : encodeTruncated(query)
}
