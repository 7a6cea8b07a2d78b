import { type JsonMessage, writeJson } from '../agent/json.ts'

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

/** A record of RecordIO. */
export function recordOf(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length}\n`), bytes])
}
