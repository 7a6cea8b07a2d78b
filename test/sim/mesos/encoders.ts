/** All ways in which a simulated master may write. */
import { type Json, type JsonMessage, writeJson } from '../../../src/demo/agent/json.ts'
import { type Encoder, jsonEncoderOf } from '../../../src/demo/mesos/encoding.ts'
import type { MesosRules } from '../../../src/demo/mesos/rules.ts'
import { PROTOBUF_ENCODER } from './protobuf-encoder.ts'

/** JSON as proxies and captures have been seen to rewrite it: keys in reverse, `type` last. */
const reversedJson = ({ writesMapsAsLists: mapsAreLists }: MesosRules): Encoder => ({
  contentType: 'application/json',
  encode: (message) => {
    const style = { omitsEmptyLists: false, mapsAreLists }
    return Buffer.from(writeJson(reversed(message) as JsonMessage, style))
  },
})

/** The name of an encoder. */
export type EncoderName = 'protobuf' | 'json' | 'reversed-json'

const ENCODERS: Readonly<Record<EncoderName, (rules: MesosRules) => Encoder>> = {
  protobuf: () => PROTOBUF_ENCODER,
  json: jsonEncoderOf,
  'reversed-json': reversedJson,
}

/** The encoder of this name as this version of Mesos has it. */
export function encoderOf(name: EncoderName, rules: MesosRules): Encoder {
  return ENCODERS[name](rules)
}

function reversed(value: Json): Json {
  if (Array.isArray(value)) return value.map((item: Json) => reversed(item))
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value as JsonMessage).reverse()
  return Object.fromEntries(fields.map(([name, field]) => [name, reversed(field)]))
}
