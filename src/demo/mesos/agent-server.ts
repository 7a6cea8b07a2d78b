/** The own API of a simulated agent, on a port of its own. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Closeable } from '../../base/scope.ts'
import { type AgentFace, reply } from '../agent/http.ts'
import { sendAnswer } from '../agent/send.ts'
import { addressText, closeServer, type ListenPlace, listenAt } from './listening.ts'

/** What an agent shows. */
export type ServedAgent = Pick<AgentFace, 'state' | 'isRecovering'>

/** A simulated agent's port; {@link AgentServer.listen} opens it. */
export class AgentServer implements Closeable {
  readonly #agent: ServedAgent
  readonly #server: Server

  private constructor(agent: ServedAgent) {
    this.#agent = agent
    this.#server = createServer((request, response) => void this.#serve(request, response))
  }

  /** Opens an agent's port. */
  static async listen(agent: ServedAgent, place: ListenPlace = {}): Promise<AgentServer> {
    const opened = new AgentServer(agent)
    await listenAt(opened.#server, place)
    return opened
  }

  /** E.g. `http://127.0.0.1:40123`. */
  get url(): string {
    return `http://${addressText(this.#server)}`
  }

  async close(): Promise<void> {
    await closeServer(this.#server)
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    } catch {
      return // the caller went away
    }
    const { method = '', url = '', headers } = request
    const [path = ''] = url.split('?')
    const { state, isRecovering } = this.#agent
    const face = { state, isRecovering, authorization: undefined }
    const body = Buffer.concat(chunks).toString()
    const answer = reply({ method, path, headers, body }, face)
    sendAnswer(response, answer, headers['accept-encoding'])
  }
}
