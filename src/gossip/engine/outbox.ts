/**
 * What waits to be sent. Everything to one peer shares packets: what is urgent goes at the end of
 * the call and takes along what waits; the rest waits for company for a few milliseconds.
 */
import type { Endpoint } from '../../model/endpoint.ts'
import type { NodeId } from '../../model/node-id.ts'
import { messageSize } from '../wire/size.ts'
import type { Destination, Effect } from './effects.ts'
import type { Message } from './messages.ts'
import type { EngineSettings } from './settings.ts'
import type { Timer, Timers } from './timers.ts'

interface Waiting {
  readonly to: Destination
  readonly urgent: Message[]
  readonly patient: Message[]
  readonly bulk: Message[]
}

/** More than so many datagrams' worth to one peer goes over the stream. */
const MAX_BURST = 8
/** What waits beyond this is dropped, oldest first; anti-entropy repairs it. */
const MAX_PATIENT = 4096

/** The engine's outgoing messages. */
export class Outbox {
  readonly #waiting = new Map<string, Waiting>()
  readonly #settings: EngineSettings
  readonly #timers: Timers
  #flushTimer: Timer | undefined
  #isUrgent = false

  constructor(settings: EngineSettings, timers: Timers) {
    this.#settings = settings
    this.#timers = timers
  }

  /** Sends in this call's datagrams. */
  urgent(to: Destination, ...messages: readonly Message[]): void {
    this.#at(to).urgent.push(...messages)
    this.#isUrgent = true
  }

  /** Sends soon, together with what else comes. */
  patient(to: Destination, message: Message): void {
    const { patient } = this.#at(to)
    patient.push(message)
    if (patient.length > MAX_PATIENT) patient.shift()
    this.#flushTimer ??= this.#timers.after(this.#settings.flushMs, () => {
      this.#flushTimer = undefined
      this.#isUrgent = true
      for (const waiting of this.#waiting.values()) {
        waiting.urgent.push(...waiting.patient.splice(0))
      }
    })
  }

  /** Sends in this call, in order, over the stream. */
  bulk(to: Destination, ...messages: readonly Message[]): void {
    this.#at(to).bulk.push(...messages)
    this.#isUrgent = true
  }

  /** Hands over what goes in this call. */
  flush(effect: (effect: Effect) => void): void {
    if (!this.#isUrgent) return
    this.#isUrgent = false
    for (const [key, waiting] of this.#waiting) {
      if (waiting.urgent.length + waiting.bulk.length === 0) continue
      this.#waiting.delete(key)
      const datagram = [...waiting.urgent, ...waiting.patient]
      this.#send(waiting.to, { datagram, stream: waiting.bulk }, effect)
    }
  }

  #send(
    to: Destination,
    { datagram, stream }: { readonly datagram: Message[]; readonly stream: Message[] },
    effect: (effect: Effect) => void,
  ): void {
    const { datagramBytes, partBytes } = this.#settings
    const sizes = datagram.map(messageSize)
    const fits = datagram.filter((_, index) => (sizes[index] ?? 0) <= datagramBytes)
    const oversized = datagram.filter((_, index) => (sizes[index] ?? 0) > datagramBytes)
    const packets = packed(fits, datagramBytes)
    const isBurst = packets.length > MAX_BURST
    for (const messages of isBurst ? packets.slice(0, 1) : packets) {
      effect({ kind: 'send', to, channel: 'datagram', messages })
    }
    const late = isBurst ? packets.slice(1).flat() : []
    for (const messages of packed([...oversized, ...late, ...stream], partBytes)) {
      effect({ kind: 'send', to, channel: 'stream', messages })
    }
  }

  #at(to: Destination): Waiting {
    const key = to.node ?? keyOf(to.endpoint)
    const known = this.#waiting.get(key)
    if (known !== undefined) return known
    const waiting: Waiting = { to, urgent: [], patient: [], bulk: [] }
    this.#waiting.set(key, waiting)
    return waiting
  }

  /** Forgets what waits for a node that is gone. */
  drop(node: NodeId): void {
    this.#waiting.delete(node)
  }
}

function keyOf({ address, port }: Endpoint): string {
  return `${address} ${port}`
}

/** Splits messages so that each packet has at most so many bytes, or one message. */
function packed(messages: readonly Message[], maxBytes: number): Message[][] {
  const packets: Message[][] = []
  let packet: Message[] = []
  let bytes = 0
  for (const message of messages) {
    const size = messageSize(message)
    if (packet.length > 0 && bytes + size > maxBytes) {
      packets.push(packet)
      packet = []
      bytes = 0
    }
    packet.push(message)
    bytes += size
  }
  if (packet.length > 0) packets.push(packet)
  return packets
}
