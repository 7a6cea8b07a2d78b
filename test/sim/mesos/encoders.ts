/** All ways in which a simulated master may write. */
import { type Json, type JsonMessage, writeJson } from '../../../src/demo/agent/json.ts'
import { type Encoder, JSON_ENCODER } from '../../../src/demo/mesos/encoding.ts'
import { PROTOBUF_ENCODER } from './protobuf-encoder.ts'

/** JSON as proxies and captures have been seen to rewrite it: keys in reverse, `type` last. */
const REVERSED_JSON: Encoder = {
  contentType: 'application/json',
  encode: (message) =>
    Buffer.from(writeJson(reversed(message) as JsonMessage, { omitsEmptyLists: false })),
}

/** The name of an encoder. */
export type EncoderName = 'protobuf' | 'json' | 'reversed-json'

/** Encoders by name. */
export const ENCODERS: Readonly<Record<EncoderName, Encoder>> = {
  protobuf: PROTOBUF_ENCODER,
  json: JSON_ENCODER,
  'reversed-json': REVERSED_JSON,
}

function reversed(value: Json): Json {
  if (Array.isArray(value)) return value.map((item: Json) => reversed(item))
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value as JsonMessage).reverse()
  return Object.fromEntries(fields.map(([name, field]) => [name, reversed(field)]))
}
