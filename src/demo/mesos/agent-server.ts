/** The own API of a simulated agent, on a port of its own. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Closeable } from '../../base/scope.ts'
import { reply } from '../agent/http.ts'
import type { SimulatedAgent } from './agent.ts'

/** A simulated agent's port; {@link AgentServer.listen} opens it. */
export class AgentServer implements Closeable {
  readonly #server: Server

  private constructor(agent: SimulatedAgent) {
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
      const { method = '', url: path = '', headers } = request
      const body = Buffer.concat(chunks).toString()
      const { state, isRecovering } = agent
      const face = { state, isRecovering, authorization: undefined }
      const answer = reply({ method, path, headers, body }, face)
      response.writeHead(answer.status, answer.headers)
      response.end(answer.body)
    })
  }

  /** Opens an agent's port on 127.0.0.1, unless another host is named. */
  static async listen(
    agent: SimulatedAgent,
    { host = '127.0.0.1', port = 0 }: { readonly host?: string; readonly port?: number } = {},
  ): Promise<AgentServer> {
    const opened = new AgentServer(agent)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    opened.#server.once('error', reject)
    opened.#server.listen(port, host, resolve)
    await promise
    return opened
  }

  /** E.g. `http://127.0.0.1:40123`. */
  get url(): string {
    const { address, port } = this.#server.address() as AddressInfo
    return `http://${address}:${port}`
  }

  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    this.#server.closeAllConnections()
    await promise
  }
}
