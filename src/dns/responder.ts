import { NavstarError, toNavstarError } from '../base/error.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import { answerPacket, type Verdict } from './answer.ts'
import type { Forwarder } from './forwarder.ts'
import type { Respond } from './listener.ts'
import type { DnsMetrics } from './metrics.ts'
import { RCODE } from './query.ts'
import type { Transport } from './response.ts'
import type { WarningLimit } from './warning-limit.ts'
import type { ZoneRoutes } from './zone-routes.ts'

/** What the responder works with. */
export interface ResponderOptions {
  readonly zones: ZoneRoutes
  readonly forwarder: Forwarder
  readonly metrics: DnsMetrics
  readonly random: Random
  readonly log: Log
  readonly warnings: WarningLimit
  readonly signal: AbortSignal
}

const RCODE_NAMES = new Map<number, string>(
  Object.entries(RCODE).map(([name, number]) => [number, name]),
)

/** Joins zones and forwarder into the function that listeners call; it never throws or rejects. */
export function createResponder(options: ResponderOptions): Respond {
  const { zones, random, log } = options
  return (packet, transport) => {
    try {
      const verdict = answerPacket(packet, { zones, transport, rotation: random.next() })
      return act(verdict, packet, { ...options, transport })
    } catch (thrown) {
      log.error('dns query failed', { error: toNavstarError(thrown, 'answer a dns query') })
      return undefined
    }
  }
}

function act(
  verdict: Verdict,
  packet: Buffer,
  options: ResponderOptions & { readonly transport: Transport },
): Buffer | undefined | Promise<Buffer | undefined> {
  const { metrics, transport } = options
  switch (verdict.kind) {
    case 'ignore':
      metrics.dropped.inc({ reason: verdict.reason })
      if (verdict.reason === 'unreadable') countMalformed(options)
      return undefined
    case 'respond':
      if (verdict.route === 'malformed') countMalformed(options)
      else metrics.queries.inc({ transport, route: verdict.route })
      metrics.responses.inc({ transport, rcode: verdict.rcode })
      return verdict.response
    case 'forward':
      metrics.queries.inc({ transport, route: 'forward' })
      return relay({ query: verdict.query, packet, transport }, options)
  }
}

async function relay(
  forward: Parameters<Forwarder['forward']>[0],
  { forwarder, metrics, log, signal }: ResponderOptions,
): Promise<Buffer | undefined> {
  try {
    const response = await forwarder.forward(forward, { signal })
    const rcode = RCODE_NAMES.get(response.readUInt16BE(2) & 15) ?? 'other'
    metrics.responses.inc({ transport: forward.transport, rcode })
    return response
  } catch (thrown) {
    if (!signal.aborted)
      log.error('dns query failed', { error: toNavstarError(thrown, 'forward a dns query') })
    return undefined
  }
}

function countMalformed({
  metrics,
  warnings,
  transport,
}: ResponderOptions & { readonly transport: Transport }): void {
  metrics.malformed.inc({ transport })
  const error = new NavstarError('DNS_MESSAGE_INVALID', { attempt: `read a query by ${transport}` })
  warnings.warn('dns message is malformed', { transport, error })
}
