import type { PlainMessage } from '../protobuf/read-message.ts'
import type { Field, FieldKind, MessageType } from '../protobuf/schema.ts'
import type { JsonCursor } from './json-cursor.ts'
import type { OnEntry, Steps } from './steps.ts'

/**
 * Reads a message from its JSON as `walkProtobuf` does from its bytes: entries of lists go to
 * `onEntry`, fields that the description lacks or that hold something else are passed over.
 *
 * @param onEntry undefined inside of entries, where lists are passed over
 * @throws JsonError
 */
export function* walkJson(
  cursor: JsonCursor,
  type: MessageType,
  onEntry: OnEntry | undefined,
): Steps<PlainMessage> {
  const found: PlainMessage = {}
  for (let isMore = cursor.enter(); isMore; isMore = cursor.hasMore()) {
    if (cursor.isStepOver()) yield
    const field = type.byName.get(cursor.key())
    const start = cursor.next()
    if (start === 'object') yield* walkObject(cursor, field, { found, onEntry })
    else if (start === 'list') yield* walkList(cursor, field, onEntry)
    else readScalar(cursor, field, found)
  }
  for (const { name, preset } of type.presets) found[name] ??= preset
  return found
}

function* walkObject(
  cursor: JsonCursor,
  field: Field | undefined,
  { found, onEntry }: { readonly found: PlainMessage; readonly onEntry: OnEntry | undefined },
): Steps<void> {
  if (field?.kind.kind !== 'message' || field.isRepeated) return yield* passOver(cursor)
  const part = yield* walkJson(cursor, field.kind.type(), onEntry)
  found[field.name] = { ...(found[field.name] as PlainMessage | undefined), ...part }
}

function* walkList(
  cursor: JsonCursor,
  field: Field | undefined,
  onEntry: OnEntry | undefined,
): Steps<void> {
  const isWanted = field?.isRepeated === true && field.kind.kind === 'message'
  if (!isWanted || onEntry === undefined) return yield* passOver(cursor)
  for (let isMore = cursor.enter(); isMore; isMore = cursor.hasMore()) {
    if (cursor.isStepOver()) yield
    if (cursor.next() !== 'object') yield* passOver(cursor)
    else onEntry(field.name, yield* walkJson(cursor, field.kind.type(), undefined))
  }
}

function readScalar(cursor: JsonCursor, field: Field | undefined, found: PlainMessage): void {
  if (field === undefined) {
    cursor.pass(cursor.depth)
    return
  }
  const value = cursor.next() === 'text' ? cursor.text() : cursor.other()
  if (isOfKind(value, field.kind)) found[field.name] = value
}

function* passOver(cursor: JsonCursor): Steps<void> {
  const { depth } = cursor
  while (!cursor.pass(depth)) {
    yield
    cursor.isStepOver()
  }
}

function isOfKind(value: unknown, kind: FieldKind): boolean {
  switch (kind.kind) {
    case 'text':
      return typeof value === 'string'
    case 'enum':
      return typeof value === 'string' && kind.texts.has(value)
    case 'boolean':
      return typeof value === 'boolean'
    case 'message':
      return false
    default:
      return typeof value === 'number'
  }
}
