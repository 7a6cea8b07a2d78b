import { NavstarError } from '../../base/error.ts'
import type { PlainMessage } from '../protobuf/read-message.ts'
import { WireError, WireReader } from '../protobuf/wire.ts'
import { FieldError, numberAt, objectAt } from '../state/json-fields.ts'
import { SnapshotBuilder } from './builder.ts'
import { JsonCursor, JsonError } from './json-cursor.ts'
import { walkJson } from './json-walk.ts'
import { walkProtobuf } from './protobuf-walk.ts'
import { REDUCED_EVENT, REDUCED_RESPONSE } from './reduced-messages.ts'
import type { Snapshot } from './snapshot.ts'
import type { OnEntry, Steps } from './steps.ts'

/** What one step reads of JSON: about a millisecond of work. */
const JSON_STEP_BYTES = 256 * 1024

/** How Mesos writes its messages. */
export type RecordFormat = 'json' | 'protobuf'

/** Which of a master's messages holds the state: the event, or the answer of that name. */
export type SnapshotSource = 'SUBSCRIBED' | 'GET_STATE'

/** A message that holds a state. */
export interface StateMessage {
  readonly bytes: Uint8Array
  readonly format: RecordFormat
  readonly source: SnapshotSource
}

/** Reduces a state step by step. @throws NavstarError MESOS_RESPONSE_INVALID */
export function* snapshotSteps(message: StateMessage): Steps<Snapshot> {
  const builder = new SnapshotBuilder()
  try {
    const whole = yield* walk(message, builder.add)
    const holder = message.source === 'GET_STATE' ? whole : (objectAt(whole, ['subscribed']) ?? {})
    const heartbeatSeconds = numberAt(holder, ['heartbeat_interval_seconds'])
    return builder.finish(objectAt(holder, ['get_state']), heartbeatSeconds)
  } catch (cause) {
    const isForeign =
      cause instanceof WireError || cause instanceof JsonError || cause instanceof FieldError
    if (!isForeign) throw cause
    const { bytes, format, source } = message
    const attempt = `read ${source} of ${bytes.length} bytes of ${format}`
    throw new NavstarError('MESOS_RESPONSE_INVALID', { attempt, cause })
  }
}

function* walk({ bytes, format, source }: StateMessage, onEntry: OnEntry): Steps<PlainMessage> {
  const type = source === 'SUBSCRIBED' ? REDUCED_EVENT : REDUCED_RESPONSE
  if (format === 'protobuf') return yield* walkProtobuf(new WireReader(bytes), type, onEntry)
  const cursor = new JsonCursor(bytes, JSON_STEP_BYTES)
  const whole = yield* walkJson(cursor, type, onEntry)
  cursor.finish()
  return whole
}

/** Whether a record of the stream is SUBSCRIBED; reads no further than needed. Never throws. */
export function isSubscribed(bytes: Uint8Array, format: RecordFormat): boolean {
  try {
    return format === 'protobuf' ? isSubscribedProtobuf(bytes) : isSubscribedJson(bytes)
  } catch (error) {
    if (error instanceof WireError || error instanceof JsonError) return false
    throw error
  }
}

/** `type` is field 1, SUBSCRIBED its value 1; `subscribed` is field 2. */
function isSubscribedProtobuf(bytes: Uint8Array): boolean {
  const reader = new WireReader(bytes)
  while (reader.at < reader.end) {
    const tag = reader.tag()
    if (tag === 0x08) return reader.int32() === 1
    if (tag === 0x12) return true
    reader.skip(tag, 0)
  }
  return false
}

/** The type may come last. */
function isSubscribedJson(bytes: Uint8Array): boolean {
  const cursor = new JsonCursor(bytes, bytes.length + 1)
  if (bytes.length === 0 || cursor.next() !== 'object') return false
  for (let isMore = cursor.enter(); isMore; isMore = cursor.hasMore()) {
    const key = cursor.key()
    if (key === 'subscribed') return true
    if (key === 'type' && cursor.next() === 'text') return cursor.text() === 'SUBSCRIBED'
    cursor.pass(cursor.depth)
  }
  return false
}
