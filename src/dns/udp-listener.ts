import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import type { Endpoint } from '../model/endpoint.ts'
import { isIpv4 } from '../model/ip.ts'
import type { Listener, ListenerContext } from './listener.ts'

/** Room for a burst while the process is busy. **Source:** dcos-net `dcos_dns_udp_server.erl` */
const RECEIVE_BUFFER_BYTES = 1 << 20

/** Responses that wait in the process for a full socket; further ones are dropped and counted. */
const SEND_QUEUE_LIMIT = 1024

/** Answers UDP queries on one address; rejects when it cannot be bound. */
export async function openUdpListener(
  endpoint: Endpoint,
  context: ListenerContext,
): Promise<Listener> {
  const socket = createSocket({
    ...(isIpv4(endpoint.address) ? { type: 'udp4' } : { type: 'udp6', ipv6Only: true }),
    recvBufferSize: RECEIVE_BUFFER_BYTES,
  })
  await bind(socket, endpoint)
  const failure = Promise.withResolvers<Error>()
  socket.on('error', failure.resolve)
  let isOpen = true
  const send = (response: Buffer | undefined, remote: RemoteInfo) => {
    if (response === undefined || !isOpen) return
    if (socket.getSendQueueCount() >= SEND_QUEUE_LIMIT) {
      context.metrics.dropped.inc({ reason: 'send_queue' })
      return
    }
    // A client that is gone or a port that cannot be answered is no failure of the listener.
    socket.send(response, remote.port, remote.address, () => undefined)
  }
  socket.on('message', (packet, remote) => {
    if (remote.port === 0) return
    const response = context.respond(packet, 'udp')
    if (response instanceof Promise) context.scope.run(async () => send(await response, remote))
    else send(response, remote)
  })
  return {
    endpoint: { address: endpoint.address, port: socket.address().port },
    failed: failure.promise,
    close: () => {
      isOpen = false
      const { promise, resolve } = Promise.withResolvers<void>()
      socket.close(resolve)
      return promise
    },
  }
}

function bind(socket: Socket, { address, port }: Endpoint): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onError = (error: Error) => {
    socket.close()
    reject(error)
  }
  socket.once('error', onError)
  socket.bind({ address, port, exclusive: true }, () => {
    socket.off('error', onError)
    resolve()
  })
  return promise
}
