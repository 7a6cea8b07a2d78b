/** The simulator's protobuf: by protobufjs and definitions that the product does not know. */
import type { Encoder } from '../../../src/demo/mesos/encoding.ts'
import { encodeProto, protoOf } from '../../mesos/proto/encode.ts'

/** Writes messages as `application/x-protobuf`. */
export const PROTOBUF_ENCODER: Encoder = {
  contentType: 'application/x-protobuf',
  encode: (message, type) => encodeProto(type, plain(message) as object),
}

/** The type in a protobuf Call. */
export function readProtobufCall(body: Uint8Array): string | undefined {
  try {
    const type = protoOf('Call')
    const call = type.toObject(type.decode(body), { enums: String }) as { readonly type?: unknown }
    return typeof call.type === 'string' ? call.type : undefined
  } catch {
    return undefined
  }
}

/** 64-bit integers as text: protobufjs does not take bigints. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  return Object.fromEntries(fields.map(([name, field]) => [name, plain(field)]))
}
