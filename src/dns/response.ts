import { type Answer, encode } from 'dns-packet'
import { FLAG, HEADER_BYTES, type Query, type QueryHeader, RCODE, type Rcode } from './query.ts'
import type { ZoneRecord } from './zone.ts'

/** The largest UDP response without EDNS. **Source:** RFC 1035 §4.2.1 */
export const UDP_DEFAULT_BYTES = 512

/** The largest UDP response that we send or ask for: fits every path. **Source:** DNS flag day 2020 */
export const UDP_MAX_BYTES = 1232

/** How a message travels. */
export type Transport = 'udp' | 'tcp'

/** What a response says beyond repeating the query. */
export interface ResponseContent {
  readonly rcode: Rcode
  /** The answer comes from a zone of ours. */
  readonly isAuthoritative?: boolean
  /** Records of the asked name. */
  readonly answers?: readonly ZoneRecord[]
  /** The zone whose SOA explains a negative answer. */
  readonly authority?: { readonly origin: string; readonly soa: ZoneRecord }
}

/** How many bytes a response to this query may have. */
export function responseLimitBytes(query: Query, transport: Transport): number {
  if (transport === 'tcp') return 65535
  if (query.edns === undefined) return UDP_DEFAULT_BYTES
  return Math.min(UDP_MAX_BYTES, Math.max(UDP_DEFAULT_BYTES, query.edns.payloadSizeBytes))
}

/**
 * Encodes the response to a query: its id, opcode, question and RD/CD bits repeated, OPT when the
 * query had one. A response that does not fit is sent without records and with TC.
 */
export function encodeResponse(query: Query, content: ResponseContent, limitBytes: number): Buffer {
  const response = assemble(query, content, 0)
  if (response.length <= limitBytes) return response
  return assemble(query, { ...content, answers: [] }, FLAG.tc)
}

/** Encodes an error for a query of which only the header could be read. */
export function encodeFault(header: QueryHeader, rcode: Rcode): Buffer {
  const response = Buffer.alloc(HEADER_BYTES)
  response.writeUInt16BE(header.id, 0)
  response.writeUInt16BE(FLAG.qr | (header.flags & (0x7800 | FLAG.rd)) | RCODE[rcode], 2)
  return response
}

/** The reply that says "ask again by TCP", for a reply from elsewhere that is too large. */
export function encodeTruncated(query: Query): Buffer {
  return assemble(query, { rcode: 'NOERROR' }, FLAG.tc)
}

function assemble(query: Query, content: ResponseContent, extraFlags: number): Buffer {
  const { rcode, isAuthoritative = false, answers = [], authority } = content
  const flags =
    (query.flags & (FLAG.rd | FLAG.cd)) |
    (isAuthoritative ? FLAG.aa : 0) |
    FLAG.ra |
    extraFlags |
    (RCODE[rcode] & 15)
  const records = encode({
    type: 'response',
    id: query.id,
    flags,
    answers: answers.map((record) => toAnswer(query.question.nameAsAsked, record)),
    authorities: authority === undefined ? [] : [toAnswer(authority.origin, authority.soa)],
    additionals: query.edns === undefined ? [] : [optRecord(query, RCODE[rcode] >> 4)],
  })
  // The question goes in as the bytes that came; records hold no pointers, so they can move.
  const response = Buffer.concat([
    records.subarray(0, HEADER_BYTES),
    query.question.wire,
    records.subarray(HEADER_BYTES),
  ])
  response.writeUInt16BE(1, 4)
  return response
}

function toAnswer(name: string, record: ZoneRecord): Answer {
  const { ttlSeconds, ...rest } = record
  return { name, ttl: ttlSeconds, class: 'IN', ...rest }
}

function optRecord(query: Query, extendedRcode: number): Answer {
  const isDnssecOk = query.edns?.isDnssecOk === true
  return {
    type: 'OPT',
    name: '.',
    udpPayloadSize: UDP_MAX_BYTES,
    extendedRcode,
    ednsVersion: 0,
    flags: isDnssecOk ? 0x8000 : 0,
    flag_do: isDnssecOk,
    options: [],
  }
}
