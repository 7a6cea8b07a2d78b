import type { OutgoingHttpHeaders, RequestListener, ServerResponse } from 'node:http'
import { VirtualClock } from '../../src/base/virtual-clock.ts'
import { AgentClient, type AgentClientOptions } from '../../src/mesos/agent-client.ts'
import { MESOS_DEFAULTS } from '../../src/mesos/config.ts'
import { textOf } from '../../src/mesos/content.ts'
import { serveHttp, type TestServer } from './servers.ts'

const { signal } = new AbortController()
/** Time of the clients. */
export const clock: VirtualClock = new VirtualClock()
const opened: { close(): void | Promise<void> }[] = []

/** Closes what the test opened. */
export async function closeOpened(): Promise<void> {
  for (const closeable of opened.splice(0).reverse()) await closeable.close()
}

/** Closes it after the test. */
export function own<T extends { close(): void | Promise<void> }>(closeable: T): T {
  opened.push(closeable)
  return closeable
}

/** A client that ends with the test. */
export function clientOf(agentUrl: string, options: Partial<AgentClientOptions> = {}): AgentClient {
  return own(new AgentClient({ ...MESOS_DEFAULTS, ...options, agentUrl }, clock))
}

/** A server that ends with the test. */
export async function http(handler: RequestListener, host = '127.0.0.1'): Promise<TestServer> {
  return own(await serveHttp(handler, { host }))
}

/** A call whose answer is read to its text. */
export async function stateText(client: AgentClient, maxBytes = 1_000_000): Promise<string> {
  return textOf(await client.call('GET_STATE', { signal }), maxBytes)
}

/** Answers 200 with this body. */
export function sendJson(
  response: ServerResponse,
  body: string | Buffer,
  headers: OutgoingHttpHeaders = {},
): void {
  response.writeHead(200, { 'content-type': 'application/json', ...headers })
  response.end(body)
}

/** Answers with a redirect. */
export function redirectTo(location: string, status = 307): RequestListener {
  return (_request, response) => void response.writeHead(status, { location }).end()
}
