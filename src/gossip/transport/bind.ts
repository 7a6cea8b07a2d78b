import { createSocket, type Socket } from 'node:dgram'
import { createServer, type Server } from 'node:net'
import { NavstarError } from '../../base/error.ts'
import type { Endpoint } from '../../model/endpoint.ts'
import { familyOf, isIpv4 } from '../../model/ip.ts'

/** Room for a burst while the process is busy; the kernel may give less. */
const RECEIVE_BUFFER_BYTES = 4_194_304
const SEND_BUFFER_BYTES = 1_048_576

/** Connections that wait to be taken. */
const BACKLOG = 128

/** With port 0 the kernel draws one for UDP; so often another is drawn when TCP has it taken. */
const MAX_DRAWS = 16

/** Both sockets, on one port. */
export interface BoundSockets {
  readonly datagrams: Socket
  readonly streams: Server
  /** With the port that was drawn. */
  readonly endpoint: Endpoint
}

/** Binds UDP and TCP to the same port. @throws NavstarError `GOSSIP_BIND_FAILED` */
export async function bindSockets(listen: Endpoint): Promise<BoundSockets> {
  for (let draw = 1; ; draw++) {
    try {
      return await bindOnce(listen)
    } catch (cause) {
      const isTaken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE'
      if (listen.port === 0 && isTaken && draw < MAX_DRAWS) continue
      const attempt = `listen on ${listen.address} port ${listen.port}`
      throw new NavstarError('GOSSIP_BIND_FAILED', { attempt, cause })
    }
  }
}

async function bindOnce(listen: Endpoint): Promise<BoundSockets> {
  const datagrams = await bindDatagrams(listen)
  const endpoint = { address: listen.address, port: datagrams.address().port }
  try {
    return { datagrams, streams: await bindStreams(endpoint), endpoint }
  } catch (error) {
    datagrams.close()
    throw error
  }
}

function bindDatagrams({ address, port }: Endpoint): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const socket = createSocket({
    ...(isIpv4(address) ? { type: 'udp4' } : { type: 'udp6', ipv6Only: true }),
    recvBufferSize: RECEIVE_BUFFER_BYTES,
    sendBufferSize: SEND_BUFFER_BYTES,
    // Destinations are addresses: nothing is looked up, and nothing waits for a later tick.
    lookup: (literal, _options, callback) => callback(null, literal, familyOf(address)),
  })
  const onError = (error: Error) => {
    socket.close()
    reject(error)
  }
  socket.once('error', onError)
  socket.bind({ address, port, exclusive: true }, () => {
    socket.off('error', onError)
    resolve(socket)
  })
  return promise
}

function bindStreams({ address, port }: Endpoint): Promise<Server> {
  const { promise, resolve, reject } = Promise.withResolvers<Server>()
  const server = createServer({ noDelay: true })
  server.once('error', reject)
  const options = { host: address, port, exclusive: true, ipv6Only: !isIpv4(address) }
  server.listen({ ...options, backlog: BACKLOG }, () => {
    server.off('error', reject)
    resolve(server)
  })
  return promise
}
