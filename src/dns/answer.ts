/**
 * Decides what happens to a packet that came to the server; pure.
 *
 * **Source:** RFC 1034 §4.3.2, RFC 2308 §2 (NXDOMAIN, NODATA), RFC 6891 §6.1.3 (BADVERS),
 * RFC 8482 (ANY), RFC 8020 and RFC 4592 §2.2.2 (empty non-terminals)
 */
import { type Query, type Rcode, readQuery } from './query.ts'
import {
  encodeFault,
  encodeResponse,
  type ResponseContent,
  responseLimitBytes,
  type Transport,
} from './response.ts'
import type { ZoneRecord } from './zone.ts'
import type { ZoneRoute, ZoneRoutes } from './zone-routes.ts'

/** What the answer depends on beside the packet. */
export interface AnswerContext {
  readonly zones: ZoneRoutes
  readonly transport: Transport
  /** In [0, 1): which of several answers comes first. */
  readonly rotation: number
}

/** What to do with a packet. */
export type Verdict =
  | {
      readonly kind: 'respond'
      readonly response: Buffer
      readonly rcode: Rcode
      readonly route: 'zone' | 'rejected' | 'malformed'
    }
  | { readonly kind: 'forward'; readonly query: Query }
  | { readonly kind: 'ignore'; readonly reason: 'is_response' | 'unreadable' }

const CLASS_IN = 1
const TYPES = { A: 1, NS: 2, SOA: 6, AAAA: 28 } as const
const TYPE_ANY = 255
const ZONE_TRANSFERS: ReadonlySet<number> = new Set([251, 252])

/** Answers a packet from the zones, or says that it must be forwarded or ignored. Never throws. */
export function answerPacket(packet: Buffer, context: AnswerContext): Verdict {
  const reading = readQuery(packet)
  if (reading.kind === 'ignored') return { kind: 'ignore', reason: reading.reason }
  if (reading.kind === 'fault') {
    const { header, rcode } = reading
    const route = rcode === 'FORMERR' ? 'malformed' : 'rejected'
    return { kind: 'respond', response: encodeFault(header, rcode), rcode, route }
  }
  const { query } = reading
  const limitBytes = responseLimitBytes(query, context.transport)
  const rejection = rejectionOf(query)
  if (rejection !== undefined) {
    const response = encodeResponse(query, { rcode: rejection }, limitBytes)
    return { kind: 'respond', response, rcode: rejection, route: 'rejected' }
  }
  const route = context.zones.find(query.question.name)
  if (route === undefined) return { kind: 'forward', query }
  const content = answerFrom(route, query.question.type, context.rotation)
  const response = encodeResponse(query, content, limitBytes)
  return { kind: 'respond', response, rcode: content.rcode, route: 'zone' }
}

function rejectionOf({ question, edns }: Query): Rcode | undefined {
  if (edns !== undefined && edns.version > 0) return 'BADVERS'
  return question.class !== CLASS_IN || ZONE_TRANSFERS.has(question.type) ? 'REFUSED' : undefined
}

function answerFrom({ zone, name }: ZoneRoute, type: number, rotation: number): ResponseContent {
  const found = zone.lookup(name)
  if (found.kind === 'unready') return { rcode: 'SERVFAIL' }
  const authority = { origin: zone.origin, soa: zone.soa }
  if (found.kind === 'absent') return { rcode: 'NXDOMAIN', isAuthoritative: true, authority }
  const answers = found.records.filter((record) => type === TYPE_ANY || TYPES[record.type] === type)
  if (answers.length === 0) return { rcode: 'NOERROR', isAuthoritative: true, authority }
  return { rcode: 'NOERROR', isAuthoritative: true, answers: rotate(answers, rotation) }
}

function rotate(records: readonly ZoneRecord[], rotation: number): readonly ZoneRecord[] {
  const first = Math.floor(rotation * records.length)
  return [...records.slice(first), ...records.slice(0, first)]
}
