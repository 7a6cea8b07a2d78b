/**
 * Reads the part of a DNS message that decides who answers: header, question and EDNS.
 *
 * `dns-packet` is not used for reading because its names are joined text: a label that contains a
 * dot, or bytes that are no UTF-8, would come back as another name, and one strange record in an
 * additional section would fail a query that only needs to be passed on. The question is kept as
 * bytes, so that the response repeats it exactly.
 *
 * **Source:** RFC 1035 §4.1, RFC 6891 §6.1
 */

/** The fixed start of every message. */
export const HEADER_BYTES = 12

/** Bits of the flags field. **Source:** RFC 1035 §4.1.1, RFC 4035 §3 */
export const FLAG = {
  qr: 0x8000,
  aa: 0x0400,
  tc: 0x0200,
  rd: 0x0100,
  ra: 0x0080,
  cd: 0x0010,
} as const

/** Response codes. **Source:** IANA DNS RCODEs */
export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
} as const

/** The name of a response code that we send. */
export type Rcode = keyof typeof RCODE

/** What the client asks. */
export interface Question {
  /** Lower case, no final dot, unusual bytes as `\DDD`; empty for the root. */
  readonly name: string
  /** As `name`, in the client's case. */
  readonly nameAsAsked: string
  readonly type: number
  readonly class: number
  /** The question section as it came. */
  readonly wire: Buffer
}

/** What the client's OPT record says. */
export interface Edns {
  readonly payloadSizeBytes: number
  readonly version: number
  readonly isDnssecOk: boolean
}

/** The header of a query. */
export interface QueryHeader {
  readonly id: number
  readonly flags: number
}

/** A well-formed query with one question. */
export interface Query extends QueryHeader {
  readonly question: Question
  readonly edns: Edns | undefined
}

/** What a packet turned out to be. */
export type Reading =
  | { readonly kind: 'query'; readonly query: Query }
  /** A query that has a readable header and is answered with an error only. */
  | { readonly kind: 'fault'; readonly header: QueryHeader; readonly rcode: 'FORMERR' | 'NOTIMP' }
  /** Must not be answered. */
  | { readonly kind: 'ignored'; readonly reason: 'is_response' | 'unreadable' }

/** Reads a packet that came to the server; never throws. */
export function readQuery(packet: Buffer): Reading {
  if (packet.length < HEADER_BYTES) return { kind: 'ignored', reason: 'unreadable' }
  const header = { id: packet.readUInt16BE(0), flags: packet.readUInt16BE(2) }
  if ((header.flags & FLAG.qr) !== 0) return { kind: 'ignored', reason: 'is_response' }
  if (((header.flags >> 11) & 15) !== 0) return { kind: 'fault', header, rcode: 'NOTIMP' }
  const question = packet.readUInt16BE(4) === 1 ? readQuestion(packet) : undefined
  const edns = question === undefined ? 'malformed' : readEdns(packet, question)
  if (question === undefined || edns === 'malformed')
    return { kind: 'fault', header, rcode: 'FORMERR' }
  return { kind: 'query', query: { ...header, question, edns } }
}

/** Reads the first question of a message. @returns undefined when it is malformed */
export function readQuestion(packet: Buffer): Question | undefined {
  const labels: string[] = []
  let at = HEADER_BYTES
  for (let size = packet[at]; size !== 0; size = packet[at]) {
    // A pointer cannot be right here: nothing but the header comes before.
    if (size === undefined || size > 63 || at + 1 + size >= packet.length) return undefined
    labels.push(labelText(packet.subarray(at + 1, at + 1 + size)))
    at += 1 + size
    if (at - HEADER_BYTES > 254) return undefined
  }
  const end = at + 5
  if (end > packet.length) return undefined
  const nameAsAsked = labels.join('.')
  return {
    name: nameAsAsked.toLowerCase(),
    nameAsAsked,
    type: packet.readUInt16BE(at + 1),
    class: packet.readUInt16BE(at + 3),
    wire: packet.subarray(HEADER_BYTES, end),
  }
}

function labelText(label: Buffer): string {
  return label
    .toString('latin1')
    .replaceAll(/[^!-~]|[.\\]/g, (char) => `\\${char.charCodeAt(0).toString().padStart(3, '0')}`)
}

const TYPE_OPT = 41

/** Walks the records behind the question for the one OPT record that may be there. */
function readEdns(packet: Buffer, question: Question): Edns | undefined | 'malformed' {
  const recordCount = packet.readUInt16BE(6) + packet.readUInt16BE(8) + packet.readUInt16BE(10)
  let at = HEADER_BYTES + question.wire.length
  let edns: Edns | undefined
  for (let index = 0; index < recordCount; index++) {
    const start = at
    const fixed = skipName(packet, at)
    if (fixed === undefined || fixed + 10 > packet.length) return 'malformed'
    at = fixed + 10 + packet.readUInt16BE(fixed + 8)
    if (at > packet.length) return 'malformed'
    if (packet.readUInt16BE(fixed) !== TYPE_OPT) continue
    if (edns !== undefined || fixed !== start + 1) return 'malformed'
    edns = {
      payloadSizeBytes: packet.readUInt16BE(fixed + 2),
      version: packet.readUInt8(fixed + 5),
      isDnssecOk: (packet.readUInt8(fixed + 6) & 0x80) !== 0,
    }
  }
  return edns
}

function skipName(packet: Buffer, offset: number): number | undefined {
  let at = offset
  for (;;) {
    const size = packet[at]
    if (size === undefined) return undefined
    if (size === 0) return at + 1
    if (size >= 0xc0) return at + 2
    if (size > 63) return undefined
    at += 1 + size
  }
}
