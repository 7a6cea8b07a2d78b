/**
 * Records of the operator stream, in either of Mesos' content types. Text that is no UTF-8 is
 * read with U+FFFD in its place: one odd label of a task must not end the stream of a cluster.
 */
import { NavstarError } from '../base/error.ts'
import { decodeMessage } from './protobuf/decode.ts'
import {
  isSubscribed,
  type RecordFormat,
  type SnapshotSource,
  snapshotSteps,
} from './snapshot/reduce.ts'
import type { Snapshot } from './snapshot/snapshot.ts'
import { inTurns } from './snapshot/steps.ts'
import { isObject, type JsonObject } from './state/json-fields.ts'

/** What {@link reduceSnapshot} may be told. */
export interface ReduceOptions {
  /** Where the state is; SUBSCRIBED unless said. */
  readonly source?: SnapshotSource
  readonly signal?: AbortSignal
}

/**
 * The event of a record, shaped as Mesos' JSON in either content type. An event of a type that
 * we do not know has none (protobuf) or an unknown one (JSON); an empty record says nothing.
 *
 * A SUBSCRIBED may be huge: it belongs to {@link reduceSnapshot}; see {@link isSnapshot}.
 *
 * @param contentType e.g. `application/x-protobuf`, `application/json`
 * @throws NavstarError MESOS_RESPONSE_INVALID
 */
export function decodeEvent(bytes: Uint8Array, contentType: string): JsonObject {
  if (formatOf(contentType) === 'protobuf') return decodeMessage(bytes, 'Event')
  if (bytes.length === 0) return {}
  const attempt = `read an event of ${bytes.length} bytes of JSON`
  let event: unknown
  try {
    event = JSON.parse(textOf(bytes))
  } catch (cause) {
    throw new NavstarError('MESOS_RESPONSE_INVALID', { attempt, cause })
  }
  if (isObject(event)) return event
  const cause = new Error('it is no object')
  throw new NavstarError('MESOS_RESPONSE_INVALID', { attempt, cause })
}

/**
 * Whether a record is SUBSCRIBED, found out without reading the state in it.
 *
 * @throws NavstarError MESOS_RESPONSE_INVALID for another content type only
 */
export function isSnapshot(bytes: Uint8Array, contentType: string): boolean {
  return isSubscribed(bytes, formatOf(contentType))
}

/**
 * Reduces the state in a record or an answer, about a millisecond of work in a turn of the event
 * loop; holds only the bytes and what is kept of them. The bytes must not change meanwhile.
 *
 * @throws NavstarError MESOS_RESPONSE_INVALID; the signal's reason when aborted
 */
export async function reduceSnapshot(
  bytes: Uint8Array,
  contentType: string,
  { source = 'SUBSCRIBED', signal }: ReduceOptions = {},
): Promise<Snapshot> {
  return await inTurns(snapshotSteps({ bytes, format: formatOf(contentType), source }), signal)
}

function formatOf(contentType: string): RecordFormat {
  const [mediaType = ''] = contentType.split(';')
  switch (mediaType.trim().toLowerCase()) {
    case 'application/json':
      return 'json'
    case 'application/x-protobuf':
      return 'protobuf'
    default:
      throw new NavstarError('MESOS_RESPONSE_INVALID', {
        attempt: 'read records',
        cause: new Error(`the content type is ${JSON.stringify(contentType)}`),
      })
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}
