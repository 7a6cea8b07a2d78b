import type { Server, Socket } from 'node:net'
import { parseIp } from '../../model/ip.ts'
import type { NodeId } from '../../model/node-id.ts'
import type { TransportContext } from './context.ts'
import type { FairTurns } from './fair-turns.ts'
import { IncomingStream } from './incoming-stream.ts'

/** Streams without proof, in all and of one address; the oldest goes first. */
export const MAX_UNPROVEN_STREAMS = 128
export const MAX_UNPROVEN_STREAMS_PER_ADDRESS = 32

/** Proven streams; the one that said nothing for longest goes first. */
const MAX_PROVEN_STREAMS = 512

/** Streams of one node: the old and the new one while it changes keys or restarts. */
const MAX_STREAMS_PER_NODE = 2

/** All streams that others opened. */
export class IncomingStreams {
  readonly #server: Server
  readonly #context: TransportContext
  readonly #turns: FairTurns
  readonly #unproven = new Set<IncomingStream>()
  readonly #proven = new Map<IncomingStream, NodeId>()

  constructor(server: Server, context: TransportContext, turns: FairTurns) {
    this.#server = server
    this.#context = context
    this.#turns = turns
    server.on('connection', (socket) => this.#adopt(socket))
    // Out of descriptors, or reset before it was taken: the next connection may work.
    server.on('error', () => context.onRejected('connection-limit', context.listen.address))
  }

  get count(): number {
    return this.#unproven.size + this.#proven.size
  }

  expire(nowMs: number): void {
    for (const stream of this.#unproven) stream.expire(nowMs)
    for (const stream of this.#proven.keys()) stream.expire(nowMs)
  }

  close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    for (const stream of [...this.#unproven, ...this.#proven.keys()]) stream.close()
    return promise
  }

  #adopt(socket: Socket): void {
    const address = parseIp(socket.remoteAddress ?? '')
    if (address === undefined) {
      socket.destroy()
      return
    }
    const ofAddress = [...this.#unproven].filter((stream) => stream.address === address)
    if (ofAddress.length >= MAX_UNPROVEN_STREAMS_PER_ADDRESS) evict(ofAddress)
    else if (this.#unproven.size >= MAX_UNPROVEN_STREAMS) evict(this.#unproven)
    const events = {
      onProven: (stream: IncomingStream, sender: NodeId) => this.#promote(stream, sender),
      onClosed: (stream: IncomingStream) => {
        this.#unproven.delete(stream)
        this.#proven.delete(stream)
      },
    }
    const parts = { address, context: this.#context, turns: this.#turns, events }
    this.#unproven.add(new IncomingStream(socket, parts))
  }

  #promote(stream: IncomingStream, sender: NodeId): void {
    this.#unproven.delete(stream)
    const ofNode = [...this.#proven].filter(([, node]) => node === sender).map(([other]) => other)
    if (ofNode.length >= MAX_STREAMS_PER_NODE) evict(ofNode)
    else if (this.#proven.size >= MAX_PROVEN_STREAMS) evict(this.#proven.keys())
    this.#proven.set(stream, sender)
  }
}

/** Closes the stream that said nothing for longest. */
function evict(streams: Iterable<IncomingStream>): void {
  let oldest: IncomingStream | undefined
  for (const stream of streams)
    if (oldest === undefined || stream.sinceMs < oldest.sinceMs) oldest = stream
  oldest?.reject('connection-limit')
}
