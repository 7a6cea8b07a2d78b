/** A master over HTTP, on a port of its own: refusals, answers, and the stream of events. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import type { Closeable } from '../../base/scope.ts'
import type { JsonMessage } from '../agent/json.ts'
import type { MasterRole } from './cluster.ts'
import { type Encoder, recordOf } from './encoding.ts'
import { type Manners, type MasterReply, replyOfMaster } from './master-http.ts'
import { type Cut, StreamWriter } from './stream-writer.ts'

/** How a master is served. */
export interface MasterServerOptions {
  readonly role: () => MasterRole
  /** The address of master `index`, e.g. `127.0.0.1:5050`. */
  readonly addressOf: (index: number) => string
  /** Where it listens; default 127.0.0.1 and a free port. */
  readonly listen?: { readonly host?: string; readonly port?: number }
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
  /** Status and path of each request, e.g. `307 /api/v1`. */
  readonly log: string[] = []

  private constructor(options: MasterServerOptions) {
    this.#options = options
    this.#server = createServer((request, response) => void this.#serve(request, response))
  }

  /** Opens a master's port. */
  static async listen(options: MasterServerOptions): Promise<MasterServer> {
    const opened = new MasterServer(options)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    opened.#server.once('error', reject)
    const { host = '127.0.0.1', port = 0 } = options.listen ?? {}
    opened.#server.listen(port, host, resolve)
    await promise
    return opened
  }

  /** E.g. `127.0.0.1:40123`. */
  get address(): string {
    const { address, family, port } = this.#server.address() as AddressInfo
    return `${family === 'IPv6' ? `[${address}]` : address}:${port}`
  }

  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    this.#server.closeAllConnections()
    for (const stream of this.streams) stream.end('reset')
    await promise
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
    if (reply.kind === 'answer') send(response, reply, headers['accept-encoding'])
    else this.#stream(request.socket, reply)
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
    const leave = master.subscribers.add(subscriber, snapshot, { isBlind })
    socket.once('close', leave)
    socket.once('error', leave)
  }
}

/** libprocess compresses answers from 1024 bytes on for those who accept gzip; never streams. */
function send(
  response: ServerResponse,
  answer: Extract<MasterReply, { readonly kind: 'answer' }>,
  accepted: unknown,
): void {
  const isCompressed = answer.body.length >= 1024 && String(accepted ?? '').includes('gzip')
  const body = isCompressed ? gzipSync(answer.body) : answer.body
  response.writeHead(answer.status, {
    ...answer.headers,
    ...(isCompressed ? { 'content-encoding': 'gzip' } : {}),
    'content-length': body.length,
  })
  response.end(body)
}
