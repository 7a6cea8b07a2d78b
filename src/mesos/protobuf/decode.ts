/** The door for protobuf from Mesos. */
import { NavstarError } from '../../base/error.ts'
import { AGENT_RESPONSE, EVENT, MASTER_RESPONSE } from './answer-messages.ts'
import { MASTER_INFO } from './cluster-messages.ts'
import { type PlainMessage, readMessage } from './read-message.ts'
import type { MessageType } from './schema.ts'
import { WireError, WireReader } from './wire.ts'

const ROOTS = {
  Event: EVENT,
  AgentResponse: AGENT_RESPONSE,
  MasterResponse: MASTER_RESPONSE,
  MasterInfo: MASTER_INFO,
} as const satisfies Readonly<Record<string, MessageType>>

/** The messages that can be decoded. */
export type RootMessage = 'Event' | 'AgentResponse' | 'MasterResponse' | 'MasterInfo'

/**
 * Decodes a message into values shaped as Mesos' own JSON of it, so that one reader serves both:
 * `{ type: 'TASK_ADDED', task_added: { task: { task_id: { value: 'web.1' }, … } } }`. Declared
 * defaults are filled in, unknown fields and enum values left out, empty lists absent.
 *
 * Two things differ from JSON: fields that nobody here reads are absent, and the default of a
 * resource's `role`, which Mesos' JSON leaves out since it is deprecated, is there.
 *
 * @throws NavstarError MESOS_RESPONSE_INVALID
 */
export function decodeMessage(bytes: Uint8Array, root: RootMessage): PlainMessage {
  try {
    return readMessage(new WireReader(bytes), ROOTS[root])
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause
    const attempt = `read a protobuf ${root} of ${bytes.length} bytes`
    throw new NavstarError('MESOS_RESPONSE_INVALID', { attempt, cause })
  }
}
