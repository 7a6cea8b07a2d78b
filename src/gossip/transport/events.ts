/** What the transport reports, for metrics. */
import type { Channel } from '../engine/effects.ts'
import type { MessageKind } from '../engine/messages.ts'

/** Why a packet, frame or connection was not taken. */
export type PacketRejection =
  /** No packet of ours: wrong magic, type, length or counter. */
  | 'junk'
  /** Of a version of the format that this node does not know. */
  | 'version'
  /** Sealed with a key that is not in the ring. */
  | 'unknown-key'
  /** Does not open: altered, or of another cluster, or another node's session. */
  | 'forged'
  /** Its counter was taken before, or is too old to tell. */
  | 'replayed'
  /** Its session did not answer the challenge in time. */
  | 'unproven'
  /** Claims to come from this node. */
  | 'own-node'
  /** A challenge or response that nothing here waits for. */
  | 'stray'
  /** Came from a member, but a message in it is malformed. */
  | 'unreadable'
  /** Longer than a frame may be. */
  | 'too-large'
  /** Too much waits for proof. */
  | 'overflow'
  /** A frame, or the proof of a stream, did not arrive whole in time. */
  | 'timeout'
  /** More streams than are kept. */
  | 'connection-limit'

/** Why something was not sent. */
export type SendDrop =
  /** Too much waits already. */
  | 'queue-full'
  /** A message is longer than a frame may be. */
  | 'too-large'
  /** The destination's address is of the family that this node does not listen on. */
  | 'wrong-family'
  /** The kernel refused it. */
  | 'socket'
  /** The stream could not be opened, or broke. */
  | 'unreachable'

/** Listens to the transport. Called often: keep it cheap. */
export interface TransportEvents {
  rejected(reason: PacketRejection): void
  dropped(reason: SendDrop): void
  /** A message went out; bytes are those of the message itself. */
  sent(kind: MessageKind, channel: Channel, bytes: number): void
  /** A message came in; bytes are those of the message itself. */
  received(kind: MessageKind, channel: Channel, bytes: number): void
}
