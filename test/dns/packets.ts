import { type DecodedPacket, decode, encode, type RecordType } from 'dns-packet'

/** A query as clients send it. */
export interface Asked {
  readonly name: string
  readonly type?: string
  readonly id?: number
  /** UDP payload size in an OPT record; absent: no OPT. */
  readonly payloadSizeBytes?: number
  readonly ednsVersion?: number
  readonly isDnssecOk?: boolean
}

export const RD = 0x0100

/** Encodes a query. */
export function queryPacket(asked: Asked): Buffer {
  const { name, type = 'A', id = 0x1234, payloadSizeBytes } = asked
  return encode({
    type: 'query',
    id,
    flags: RD,
    questions: [{ name, type: type as RecordType, class: 'IN' }],
    additionals:
      payloadSizeBytes === undefined
        ? []
        : [
            {
              type: 'OPT',
              name: '.',
              udpPayloadSize: payloadSizeBytes,
              extendedRcode: 0,
              ednsVersion: asked.ednsVersion ?? 0,
              flags: asked.isDnssecOk === true ? 0x8000 : 0,
              flag_do: asked.isDnssecOk === true,
              options: [],
            },
          ],
  })
}

/** Changes a copy of a packet. */
export function edited(packet: Buffer, edit: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(packet)
  edit(copy)
  return copy
}

/** A response in words. */
export interface Told {
  readonly rcode: string
  readonly flags: string
  readonly question: string
  /** `name ttl type data`, sorted by nothing. */
  readonly answers: readonly string[]
  readonly authorities: readonly string[]
  readonly opt: string | undefined
}

/** Decodes a response into words that a test can compare. */
export function told(response: Buffer): Told {
  const packet = decode(response) as DecodedPacket & { readonly rcode: string }
  const opt = packet.additionals?.find((record) => record.type === 'OPT')
  const bits = { aa: packet.flag_aa, tc: packet.flag_tc, rd: packet.flag_rd, ra: packet.flag_ra }
  const question = packet.questions?.[0]
  return {
    rcode: packet.rcode,
    flags: Object.entries(bits)
      .filter(([, isSet]) => isSet)
      .map(([bit]) => bit)
      .join(' '),
    question: question === undefined ? '' : `${question.name} ${question.type}`,
    answers: (packet.answers ?? []).map(recordText),
    authorities: (packet.authorities ?? []).map(recordText),
    opt:
      opt?.type === 'OPT'
        ? `size=${opt.udpPayloadSize} rcode=${opt.extendedRcode} do=${opt.flag_do}`
        : undefined,
  }
}

function recordText(record: object): string {
  const { name, ttl, type, data } = record as Readonly<Record<string, unknown>>
  if (type !== 'SOA') return `${name} ${ttl} ${type} ${data}`
  const soa = data as Readonly<Record<string, unknown>>
  return `${name} ${ttl} SOA ${soa['mname']} ${soa['rname']} ${soa['serial']}`
}
