import { type JsonMessage, writeJson } from '../agent/json.ts'
import type { MesosRules } from './rules.ts'

/** The messages that go over the wire. */
export type MessageType = 'Event' | 'MasterResponse' | 'AgentResponse'

/** Writes messages in one content type. */
export interface Encoder {
  /** E.g. `application/json`. */
  readonly contentType: string
  encode(message: JsonMessage, type: MessageType): Uint8Array
}

/** JSON as Mesos writes it. */
export const JSON_ENCODER: Encoder = {
  contentType: 'application/json',
  encode: (message) => Buffer.from(writeJson(message, { omitsEmptyLists: true })),
}

/** JSON as Mesos wrote it before 1.9. */
const OLD_JSON_ENCODER: Encoder = {
  contentType: 'application/json',
  encode: (message) =>
    Buffer.from(writeJson(message, { omitsEmptyLists: true, mapsAreLists: true })),
}

/** JSON as this version of Mesos writes it. */
export function jsonEncoderOf({ writesMapsAsLists }: MesosRules): Encoder {
  return writesMapsAsLists ? OLD_JSON_ENCODER : JSON_ENCODER
}

/** A record of RecordIO. */
export function recordOf(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length}\n`), bytes])
}
