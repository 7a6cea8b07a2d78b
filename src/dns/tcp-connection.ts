import type { Socket } from 'node:net'
import { FrameReader, frameOf } from './framing.ts'
import type { ListenerContext } from './listener.ts'

/** Queries of one connection that may wait at once; reading stops until one is answered. */
const MAX_IN_FLIGHT = 32

/** A client's connection: many queries, answered as soon as each can be (RFC 7766 §6.2.1.1). */
export class TcpConnection {
  readonly #socket: Socket
  readonly #context: ListenerContext
  readonly #frames = new FrameReader()
  #waiting: Buffer[] = []
  #inFlight = 0
  #activeMs: number
  /** The client sends no more, but may still wait for answers. */
  #isHalfClosed = false

  constructor(socket: Socket, context: ListenerContext) {
    this.#socket = socket
    this.#context = context
    this.#activeMs = context.clock.nowMs()
    // A reset by the client ends the connection and nothing else; 'close' follows.
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('drain', () => this.#advance())
    socket.on('end', () => {
      this.#isHalfClosed = true
      this.#advance()
    })
  }

  /** Closes the connection when it did nothing since then and owes no answer. */
  closeIfIdle(sinceMs: number): void {
    if (this.#inFlight === 0 && this.#activeMs <= sinceMs) this.close()
  }

  /** Closes the connection. */
  close(): void {
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    this.#waiting.push(...this.#frames.push(chunk))
    this.#advance()
  }

  /** Starts what may start; reads on only when nothing is left waiting. */
  #advance(): void {
    let started = 0
    while (started < this.#waiting.length && this.#mayStart()) {
      const packet = this.#waiting[started++]
      if (packet !== undefined) this.#start(packet)
    }
    this.#waiting = this.#waiting.slice(started)
    if (this.#waiting.length > 0 || !this.#mayStart()) this.#socket.pause()
    else if (!this.#isHalfClosed) this.#socket.resume()
    else if (this.#inFlight === 0) this.#socket.end()
  }

  #mayStart(): boolean {
    return this.#inFlight < MAX_IN_FLIGHT && !this.#socket.writableNeedDrain
  }

  #start(packet: Buffer): void {
    this.#activeMs = this.#context.clock.nowMs()
    const response = this.#context.respond(packet, 'tcp')
    if (!(response instanceof Promise)) {
      this.#send(response)
      return
    }
    this.#inFlight++
    this.#context.scope.run(async () => {
      this.#send(await response)
      this.#inFlight--
      this.#activeMs = this.#context.clock.nowMs()
      this.#advance()
    })
  }

  #send(response: Buffer | undefined): void {
    if (response !== undefined && this.#socket.writable) this.#socket.write(frameOf(response))
  }
}
