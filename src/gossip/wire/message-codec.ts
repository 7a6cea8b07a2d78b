import type { Message } from '../engine/messages.ts'
import type { Reader } from './reader.ts'
import type { Sink } from './sink.ts'

/** How the body of one kind of message is written and read. */
export interface MessageCodec<M extends Message> {
  /** Names the kind on the wire. */
  readonly number: number
  write(sink: Sink, message: M): void
  /** What it returns counts only if the reader is not broken then. */
  read(reader: Reader): M
}
