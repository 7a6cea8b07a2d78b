import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { type Answer, decode, encode } from 'dns-packet'
import { FrameReader, frameOf } from '../../src/dns/framing.ts'
import { edited } from './packets.ts'

/** A query that reached the upstream. */
export interface Arrival {
  readonly packet: Buffer
  readonly transport: 'udp' | 'tcp'
  readonly port: number
  reply(message: Buffer): void
}

/** A resolver that does what the test says. */
export interface ScriptedUpstream {
  readonly address: string
  readonly arrivals: readonly Arrival[]
  /** Resolves when so many queries arrived. */
  arrived(count: number): Promise<void>
  close(): Promise<void>
}

/** Opens an upstream on one port for UDP and TCP; `act` is called for each query. */
export async function openUpstream(act: (arrival: Arrival) => void): Promise<ScriptedUpstream> {
  const arrivals: Arrival[] = []
  const udp = createSocket('udp4')
  const take = (arrival: Arrival) => {
    arrivals.push(arrival)
    act(arrival)
    udp.emit('arrival')
  }
  udp.on('message', (packet, { port, address }: RemoteInfo) => {
    take({ packet, transport: 'udp', port, reply: (message) => udp.send(message, port, address) })
  })
  const tcp = createServer((socket) => {
    const frames = new FrameReader()
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      for (const packet of frames.push(chunk))
        take({
          packet,
          transport: 'tcp',
          port: socket.remotePort ?? 0,
          reply: (message) => socket.write(frameOf(message)),
        })
    })
  })
  const port = await bindBoth(udp, tcp)
  return {
    address: `127.0.0.1:${port}`,
    arrivals,
    arrived: async (count) => {
      while (arrivals.length < count)
        await once(udp, 'arrival', { signal: AbortSignal.timeout(3000) })
    },
    close: async () => {
      await new Promise<void>((resolve) => udp.close(resolve))
      await new Promise<void>((resolve) => tcp.close(() => resolve()))
    },
  }
}

/** Binds both to one port: TCP first, whose ports stay taken for a minute after use. */
async function bindBoth(udp: Socket, tcp: Server): Promise<number> {
  for (;;) {
    tcp.listen(0, '127.0.0.1')
    await once(tcp, 'listening')
    const bound = tcp.address()
    const port = typeof bound === 'object' ? (bound?.port ?? 0) : 0
    udp.bind(port, '127.0.0.1')
    try {
      await once(udp, 'listening')
      return port
    } catch {
      await new Promise<void>((resolve) => tcp.close(() => resolve()))
    }
  }
}

/** The reply of a resolver to this query. */
export function replyTo(packet: Buffer, addresses: readonly string[], rcode = 0): Buffer {
  const { id, questions = [] } = decode(packet)
  const answers = addresses.map(
    (data): Answer => ({ name: questions[0]?.name ?? '', type: 'A', ttl: 60, data }),
  )
  return encode({ type: 'response', id: id ?? 0, flags: 0x0180 | rcode, questions, answers })
}

/** A reply that says "ask by TCP". */
export function truncatedReplyTo(packet: Buffer): Buffer {
  return edited(replyTo(packet, []), (copy) => copy.writeUInt8(copy.readUInt8(2) | 0x02, 2))
}
