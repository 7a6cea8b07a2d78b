import { execFileSync } from 'node:child_process'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer as createTcpServer, type Socket } from 'node:net'

/** A server of a test. */
export interface TestServer {
  readonly url: string
  /** Requests as they came, with their bodies. */
  readonly requests: readonly { readonly message: IncomingMessage; readonly body: string }[]
  close(): Promise<void>
}

/** Serves HTTP; the handler is called once the request's body is read. */
export async function serveHttp(
  handler: RequestListener,
  options: { readonly host?: string; readonly server?: Server } = {},
): Promise<TestServer> {
  const requests: { message: IncomingMessage; body: string }[] = []
  const server = options.server ?? createServer()
  server.on('request', async (message: IncomingMessage, response) => {
    let body = ''
    for await (const chunk of message) body += String(chunk)
    requests.push({ message, body })
    handler(message, response)
  })
  const host = options.host ?? '127.0.0.1'
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, host, resolve)
  await promise
  const scheme = options.server === undefined ? 'http' : 'https'
  return {
    url: `${scheme}://${host}:${(server.address() as AddressInfo).port}`,
    requests,
    close: async () => {
      const closed = Promise.withResolvers<void>()
      server.close(() => closed.resolve())
      server.closeAllConnections()
      await closed.promise
    },
  }
}

/** Serves bytes: the handler gets each connection once its first bytes came. */
export async function serveBytes(
  handler: (socket: Socket, request: string) => void,
): Promise<TestServer> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => handler(socket, bytes.toString()))
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    close: async () => {
      for (const socket of sockets) socket.destroy()
      const closed = Promise.withResolvers<void>()
      server.close(() => closed.resolve())
      await closed.promise
    },
  }
}

/** Key and certificate for 127.0.0.1 in one PEM; undefined without openssl. */
export function selfSigned(): string | undefined {
  const options =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout - -out -'
  try {
    const stdio = ['ignore', 'pipe', 'ignore'] as const
    return execFileSync('openssl', options.split(' '), { encoding: 'utf8', stdio: [...stdio] })
  } catch {
    return undefined
  }
}
