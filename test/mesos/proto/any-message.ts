import fc from 'fast-check'
import type protobuf from 'protobufjs'
import type { PlainMessage } from '../../../src/mesos/protobuf/read-message.ts'
import type { Field, FieldKind, MessageType } from '../../../src/mesos/protobuf/schema.ts'

const MOST_DEPTH = 9
const MOST_FIELDS = 4

/** Any message of the fields that the product reads. */
export function anyMessage(type: MessageType, depth = 0): fc.Arbitrary<PlainMessage> {
  const fields = [...type.byName.values()].filter(
    ({ kind }) => depth < MOST_DEPTH || kind.kind !== 'message',
  )
  return fc
    .subarray(fields, { maxLength: Math.min(MOST_FIELDS, fields.length) })
    .chain((chosen) => {
      const shapes = chosen.map((field) => [field.name, anyField(field, depth)] as const)
      return fc.record(Object.fromEntries(shapes))
    })
}

function anyField({ kind, isRepeated }: Field, depth: number): fc.Arbitrary<unknown> {
  const one = kind.kind === 'message' ? anyMessage(kind.type(), depth + 1) : anyScalar(kind)
  // Mesos leaves empty lists out.
  return isRepeated ? fc.array(one, { minLength: 1, maxLength: 2 }) : one
}

function anyScalar(kind: Exclude<FieldKind, { kind: 'message' }>): fc.Arbitrary<unknown> {
  switch (kind.kind) {
    case 'boolean':
      return fc.boolean()
    case 'int32':
      return fc.integer()
    case 'int64':
      return fc.maxSafeInteger()
    case 'uint32':
      return fc.nat(0xffff_ffff)
    case 'uint64':
      return fc.maxSafeNat()
    case 'double':
      return fc.double()
    case 'text':
      return fc.string({ unit: 'binary', maxLength: 20 })
    case 'enum':
      return fc.constantFrom(...kind.texts)
  }
}

/** The message with the defaults that the definitions declare, where the product reads them. */
export function withDefaults(
  message: PlainMessage,
  type: MessageType,
  proto: protobuf.Type,
): PlainMessage {
  const whole: PlainMessage = {}
  for (const { name, kind } of type.byName.values()) {
    const declared = proto.fields[name]
    if (declared === undefined) throw new Error(`${proto.name} has no ${name}`)
    declared.resolve()
    const value = message[name] ?? declared.options?.['default']
    if (value === undefined) continue
    const nested = declared.resolvedType as protobuf.Type
    const inner = (part: unknown) =>
      kind.kind === 'message' ? withDefaults(part as PlainMessage, kind.type(), nested) : part
    whole[name] = Array.isArray(value) ? value.map(inner) : inner(value)
  }
  return whole
}
