/** A master over HTTP, on a port of its own: refusals, answers, and the stream of events. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Closeable } from '../../base/scope.ts'
import type { JsonMessage } from '../agent/json.ts'
import { sendAnswer } from '../agent/send.ts'
import type { MasterRole } from './cluster.ts'
import { type Encoder, recordOf } from './encoding.ts'
import { addressText, closeServer, type ListenPlace, listenAt } from './listening.ts'
import { type Manners, type MasterReply, replyOfMaster } from './master-http.ts'
import { type Cut, StreamWriter } from './stream-writer.ts'

/** How a master is served. */
export interface MasterServerOptions {
  readonly role: () => MasterRole
  /** The address of master `index`, e.g. `127.0.0.1:5050`. */
  readonly addressOf: (index: number) => string
  /** Where it listens; default 127.0.0.1 and a free port. */
  readonly listen?: ListenPlace
  /** Besides JSON. */
  readonly encoders?: readonly Encoder[]
  readonly readCall?: (body: Uint8Array) => string | undefined
}

/** A simulated master's port; {@link MasterServer.listen} opens it. */
export class MasterServer implements Closeable {
  readonly #options: MasterServerOptions
  readonly #server: Server
  /** Streams that were ever opened, oldest first. */
  readonly streams: StreamWriter[] = []
  /** How callers are treated from now on. */
  manners: Manners = {}
  /** How streams are cut from now on. */
  cut: Cut = {}
  /** The next stream says nothing at all after its head. */
  isSilent = false
  /** Where the version allows it, a HEARTBEAT comes before SUBSCRIBED. */
  beatsFirst = false
  /** Status and path of each request, e.g. `307 /api/v1`. */
  readonly log: string[] = []

  private constructor(options: MasterServerOptions) {
    this.#options = options
    this.#server = createServer((request, response) => void this.#serve(request, response))
  }

  /** Opens a master's port. */
  static async listen(options: MasterServerOptions): Promise<MasterServer> {
    const opened = new MasterServer(options)
    await listenAt(opened.#server, options.listen ?? {})
    return opened
  }

  /** E.g. `127.0.0.1:40123`. */
  get address(): string {
    return addressText(this.#server)
  }

  async close(): Promise<void> {
    const closed = closeServer(this.#server)
    for (const stream of this.streams) stream.end('reset')
    await closed
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    } catch {
      return
    }
    const { method = '', url = '', headers } = request
    const { role, addressOf, encoders = [], readCall } = this.#options
    const reply = replyOfMaster(
      { method, url, headers, body: Buffer.concat(chunks) },
      {
        role: role(),
        manners: this.manners,
        addressOf,
        encoders,
        ...(readCall === undefined ? {} : { readCall }),
      },
    )
    this.log.push(`${reply.kind === 'answer' ? reply.status : 200} ${url}`)
    if (reply.kind === 'stream') this.#stream(request.socket, reply)
    else this.#later(() => sendAnswer(response, reply, headers['accept-encoding']))
  }

  #later(send: () => void): void {
    const { answerDelayMs = 0 } = this.manners
    const role = this.#options.role()
    if (answerDelayMs === 0 || role.kind !== 'leading') send()
    else role.master.state.world.schedule.after(answerDelayMs, send)
  }

  #stream(
    socket: Socket,
    { master, encoder, snapshot }: Extract<MasterReply, { readonly kind: 'stream' }>,
  ): void {
    const writer = new StreamWriter(socket, encoder.contentType, this.cut)
    this.streams.push(writer)
    if (this.isSilent) return
    const subscriber = {
      send: (event: JsonMessage) => writer.write(recordOf(encoder.encode(event, 'Event'))),
      close: writer.end.bind(writer),
    }
    const isBlind = this.manners.isBlind === true
    const leave = master.subscribers.add(subscriber, snapshot, {
      isBlind,
      beatsFirst: this.beatsFirst,
    })
    socket.once('close', leave)
    socket.once('error', leave)
  }
}
