import { type PlainMessage, readField, readMessage } from '../protobuf/read-message.ts'
import { type MessageType, wireOf } from '../protobuf/schema.ts'
import type { WireReader } from '../protobuf/wire.ts'
import type { OnEntry, Steps } from './steps.ts'

/** Fields from one step to the next; most are whole tasks. */
const FIELDS_PER_STEP = 500

/**
 * Reads a message whose lists may be long: their entries go to `onEntry`, everything else is in
 * the message returned. Fields that the description lacks are passed over by their length.
 *
 * @throws WireError
 */
export function* walkProtobuf(
  reader: WireReader,
  type: MessageType,
  onEntry: OnEntry,
): Steps<PlainMessage> {
  const found: PlainMessage = {}
  let fields = 0
  while (reader.at < reader.end) {
    if (++fields % FIELDS_PER_STEP === 0) yield
    const tag = reader.tag()
    const field = type.fields[tag >>> 3]
    if (field === undefined || wireOf(field.kind) !== (tag & 7)) reader.skip(tag, 0)
    else if (field.kind.kind !== 'message') readField(reader, field, { into: found, depth: 0 })
    else {
      const { name, isRepeated } = field
      const outerEnd = reader.enter()
      if (isRepeated) onEntry(name, readMessage(reader, field.kind.type()))
      else {
        const part = yield* walkProtobuf(reader, field.kind.type(), onEntry)
        found[name] = { ...(found[name] as PlainMessage | undefined), ...part }
      }
      reader.leave(outerEnd)
    }
  }
  return found
}
