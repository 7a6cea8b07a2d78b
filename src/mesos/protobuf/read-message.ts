/**
 * Reads a message by its description into what Mesos' JSON of it looks like: names in
 * snake_case, enums as text, declared defaults filled in, empty lists left out.
 *
 * **Source:** https://protobuf.dev/programming-guides/encoding/ (last one wins, messages merge)
 */
import { type Field, type FieldKind, type MessageType, wireOf } from './schema.ts'
import { MAX_DEPTH, WireError, type WireReader } from './wire.ts'

/** A message as plain values. */
export type PlainMessage = Record<string, unknown>

/**
 * Reads from where the reader stands to the end of the message.
 *
 * Unknown fields, and known ones of another wire type, are skipped; so are unknown enum values.
 *
 * @throws WireError
 */
export function readMessage(
  reader: WireReader,
  type: MessageType,
  { into = {}, depth = 0 }: { readonly into?: PlainMessage; readonly depth?: number } = {},
): PlainMessage {
  if (depth > MAX_DEPTH) throw new WireError(`${type.name} is nested deeper than ${MAX_DEPTH}`)
  while (reader.at < reader.end) {
    const tag = reader.tag()
    const field = type.fields[tag >>> 3]
    if (field === undefined || wireOf(field.kind) !== (tag & 7)) reader.skip(tag, depth)
    else readField(reader, field, { into, depth })
  }
  for (const { name, preset } of type.presets) into[name] ??= preset
  return into
}

/** Reads the value of a field whose tag has been read into its message. @throws WireError */
export function readField(
  reader: WireReader,
  { name, kind, isRepeated }: Field,
  { into, depth }: { readonly into: PlainMessage; readonly depth: number },
): void {
  const value =
    kind.kind === 'message'
      ? readNested(reader, kind.type(), {
          into: isRepeated ? {} : ((into[name] ?? {}) as PlainMessage),
          depth: depth + 1,
        })
      : readScalar(reader, kind)
  if (value === undefined) return
  if (!isRepeated) into[name] = value
  else if (into[name] === undefined) into[name] = [value]
  else (into[name] as unknown[]).push(value)
}

function readNested(
  reader: WireReader,
  type: MessageType,
  place: { readonly into: PlainMessage; readonly depth: number },
): PlainMessage {
  const outerEnd = reader.enter()
  const nested = readMessage(reader, type, place)
  reader.leave(outerEnd)
  return nested
}

function readScalar(reader: WireReader, kind: Exclude<FieldKind, { kind: 'message' }>): unknown {
  switch (kind.kind) {
    case 'boolean':
      return reader.boolean()
    case 'int32':
      return reader.int32()
    case 'int64':
      return reader.int64()
    case 'uint32':
      return reader.int32() >>> 0
    case 'uint64':
      return reader.uint64()
    case 'double':
      return reader.double()
    case 'text':
      return reader.text()
    case 'enum':
      return kind.names.get(reader.int32())
  }
}
