/** What was sent, in bytes as they would be on an Ethernet's IP layer. */
import type { Channel } from '../../src/gossip/engine/effects.ts'
import type { Message, MessageKind } from '../../src/gossip/engine/messages.ts'
import { SEAL_BYTES } from '../../src/gossip/transport/seal.ts'
import type { Wire } from './seam.ts'

const IP_UDP_BYTES = 28
const STREAM_FRAME_BYTES = 4
/** IPv4 and TCP with timestamps, per segment of so many bytes; half as many pure acks. */
const SEGMENT_BYTES = 1448
const SEGMENT_OVERHEAD_BYTES = 52 + 26

/** Counters since the last {@link Traffic.reset}. */
export class Traffic {
  packets = 0
  bytes = 0
  readonly kinds: Map<MessageKind, { count: number; bytes: number }> = new Map()
  readonly #wire: Wire

  constructor(wire: Wire) {
    this.#wire = wire
  }

  reset(): void {
    this.packets = 0
    this.bytes = 0
    this.kinds.clear()
  }

  /** Counts one packet or frame. @returns the bytes of its messages */
  count(channel: Channel, messages: readonly Message[]): number {
    let sizeBytes = 0
    for (const message of messages) sizeBytes += this.#countMessage(message)
    this.packets++
    this.bytes += sizeBytes + SEAL_BYTES + framing(channel, sizeBytes)
    return sizeBytes
  }

  #countMessage(message: Message): number {
    const size = this.#wire.sizeOf(message)
    const counted = this.kinds.get(message.kind)
    if (counted === undefined) this.kinds.set(message.kind, { count: 1, bytes: size })
    else {
      counted.count++
      counted.bytes += size
    }
    return size
  }
}

function framing(channel: Channel, sizeBytes: number): number {
  if (channel === 'datagram') return IP_UDP_BYTES
  const segments = Math.ceil((sizeBytes + SEAL_BYTES + STREAM_FRAME_BYTES) / SEGMENT_BYTES)
  return STREAM_FRAME_BYTES + segments * SEGMENT_OVERHEAD_BYTES
}
