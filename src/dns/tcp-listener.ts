import { createServer, type Server, type Socket } from 'node:net'
import type { Endpoint } from '../model/endpoint.ts'
import { isIpv4 } from '../model/ip.ts'
import type { Listener, ListenerContext } from './listener.ts'
import { TcpConnection } from './tcp-connection.ts'

/** Open connections per address; further ones are closed at once and counted. */
export const TCP_CONNECTION_LIMIT = 256

/** A connection without a whole query for this long is closed. **Source:** dcos-net `dcos_dns_tcp_handler.erl` */
export const TCP_IDLE_MS = 10_000

/** How often idle connections are looked for. */
const SWEEP_MS = 1_000

/** Answers TCP queries on one address; rejects when it cannot be bound. */
export async function openTcpListener(
  endpoint: Endpoint,
  context: ListenerContext,
): Promise<Listener> {
  const connections = new Set<TcpConnection>()
  const server = createServer({ allowHalfOpen: true }, (socket) =>
    adopt(socket, connections, context),
  )
  server.maxConnections = TCP_CONNECTION_LIMIT
  server.on('drop', () => context.metrics.dropped.inc({ reason: 'connections' }))
  await listen(server, endpoint)
  const failure = Promise.withResolvers<Error>()
  server.on('error', failure.resolve)
  const closing = new AbortController()
  context.scope.run((signal) =>
    sweep(connections, context, AbortSignal.any([signal, closing.signal])),
  )
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : endpoint.port
  return {
    endpoint: { address: endpoint.address, port },
    failed: failure.promise,
    close: () => {
      closing.abort(new Error('listener closed'))
      const { promise, resolve } = Promise.withResolvers<void>()
      server.close(() => resolve())
      for (const connection of connections) connection.close()
      return promise
    },
  }
}

function adopt(socket: Socket, connections: Set<TcpConnection>, context: ListenerContext): void {
  const connection = new TcpConnection(socket, context)
  connections.add(connection)
  context.metrics.tcpConnections.inc()
  socket.once('close', () => {
    connections.delete(connection)
    context.metrics.tcpConnections.dec()
  })
}

async function sweep(
  connections: ReadonlySet<TcpConnection>,
  { clock }: ListenerContext,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(SWEEP_MS, { signal }).catch(() => undefined)
    const idleSinceMs = clock.nowMs() - TCP_IDLE_MS
    for (const connection of connections) connection.closeIfIdle(idleSinceMs)
  }
}

function listen(server: Server, { address, port }: Endpoint): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen({ host: address, port, exclusive: true, ipv6Only: !isIpv4(address) }, () => {
    server.off('error', reject)
    resolve()
  })
  return promise
}
