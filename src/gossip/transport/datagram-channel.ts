import type { RemoteInfo, Socket } from 'node:dgram'
import { familyOf, type Ip, parseIp } from '../../model/ip.ts'
import type { Destination } from '../engine/effects.ts'
import { drawChallenge, writeResponse } from './challenge.ts'
import type { TransportContext } from './context.ts'
import { Reception, type Verdict } from './reception.ts'
import { SendingSession, SendingSessions } from './sending-session.ts'

/** Datagrams that wait in the process for a full socket; further ones are dropped and counted. */
export const SEND_QUEUE_LIMIT = 1024

/** Addresses whose text was parsed already. */
const MAX_ADDRESSES = 4096

/** Datagrams of both directions. */
export class DatagramChannel {
  readonly #socket: Socket
  readonly #context: TransportContext
  readonly #sending = new SendingSessions()
  readonly #reception: Reception
  readonly #addresses = new Map<string, Ip>()
  #isOpen = true

  constructor(socket: Socket, context: TransportContext) {
    this.#socket = socket
    this.#context = context
    this.#reception = new Reception({ ...context, draw: drawChallenge })
    socket.on('message', (packet, remote) => this.#receive(packet, remote))
    // Errors of single sends come to their callbacks; what is left is of no consequence here.
    socket.on('error', () => context.onDropped('socket'))
  }

  /** Sends messages, or drops them when too much waits. Never blocks. */
  send(to: Destination, messages: Uint8Array): void {
    const { keys, sealer, clock } = this.#context
    const nowMs = clock.nowMs()
    const key = keys.sending
    const session = this.#sending.to(to, key, () => new SendingSession(key, sealer, nowMs))
    this.#put(session.seal('messages', messages, nowMs), to.endpoint)
  }

  /** Forgets what waited too long for proof. */
  expire(nowMs: number): void {
    const { onRejected, listen } = this.#context
    for (let lost = this.#reception.expire(nowMs); lost > 0; lost--)
      onRejected('unproven', listen.address)
  }

  close(): Promise<void> {
    this.#isOpen = false
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#socket.close(resolve)
    return promise
  }

  #receive(packet: Buffer, remote: RemoteInfo): void {
    const address = this.#parse(remote.address)
    if (address === undefined || !this.#isOpen) return
    this.#act(this.#reception.receive(packet, address, this.#context.clock.nowMs()), address)
  }

  #act(verdict: Verdict, address: Ip): void {
    const { deliver, onRejected, challenge } = this.#context
    switch (verdict.kind) {
      case 'deliver':
        for (const { opened, from } of verdict.packets) deliver(opened, from, 'datagram')
        return
      case 'challenge':
        this.#put(challenge(verdict.challenge), verdict.to)
        return
      case 'asked':
        if (!this.#answer(verdict)) onRejected('stray', address)
        return
      case 'rejected':
        onRejected(verdict.reason, address)
        return
      case 'nothing':
        return
      default:
        verdict satisfies never
    }
  }

  /**
   * Answers a challenge in the session that it names, to where that session goes: who shows a
   * packet to another node than it was meant for gets no proof for it.
   */
  #answer({ by, challenge }: Verdict & { readonly kind: 'asked' }): boolean {
    const directed = this.#sending.find(challenge.session)
    if (directed === undefined) return false
    const { to, session } = directed
    if (to.node !== undefined && to.node !== by) return false
    const nowMs = this.#context.clock.nowMs()
    const response = { random: challenge.random, freshFrom: session.freshFrom(nowMs) }
    this.#put(session.seal('response', writeResponse(response), nowMs), to.endpoint)
    return true
  }

  #put(packet: Buffer, { address, port }: Destination['endpoint']): void {
    const { onDropped, listen } = this.#context
    if (!this.#isOpen) return
    if (familyOf(address) !== familyOf(listen.address)) onDropped('wrong-family')
    else if (this.#socket.getSendQueueCount() >= SEND_QUEUE_LIMIT) onDropped('queue-full')
    else this.#socket.send(packet, port, address, this.#onSent)
  }

  readonly #onSent = (error: Error | null): void => {
    if (error !== null) this.#context.onDropped('socket')
  }

  #parse(text: string): Ip | undefined {
    const known = this.#addresses.get(text)
    if (known !== undefined) return known
    const address = parseIp(text)
    if (address === undefined) return undefined
    if (this.#addresses.size >= MAX_ADDRESSES) this.#addresses.clear()
    this.#addresses.set(text, address)
    return address
  }
}
