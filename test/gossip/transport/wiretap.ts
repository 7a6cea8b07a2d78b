/** Sockets between two nodes that record what passes, and can say it again. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Endpoint } from '../../../src/model/endpoint.ts'
import { LOOPBACK } from './running-transport.ts'

/** What passed one way. */
export interface Wiretap<Passed> {
  /** Where the sender believes the receiver to be. */
  readonly endpoint: Endpoint
  readonly passed: readonly Passed[]
  /** Changes what passes from now on; undefined drops it. */
  alter: (packet: Buffer) => Buffer | undefined
  /** Where it passes on to. */
  to: Endpoint
  /** Sends something to the receiver. */
  say(packet: Buffer): void
  close(): void
}

/** Passes datagrams on to `to`. */
export async function tapDatagrams(to: Endpoint): Promise<Wiretap<Buffer>> {
  const socket = createSocket('udp4')
  socket.bind(0, LOOPBACK)
  await once(socket, 'listening')
  const passed: Buffer[] = []
  const tap: Wiretap<Buffer> = {
    endpoint: { address: LOOPBACK, port: socket.address().port },
    passed,
    to,
    alter: (packet) => packet,
    say: (packet) => socket.send(packet, tap.to.port, tap.to.address),
    close: () => socket.close(),
  }
  socket.on('message', (packet) => {
    passed.push(packet)
    const altered = tap.alter(packet)
    if (altered !== undefined) tap.say(altered)
  })
  return tap
}

/** Passes streams on to `to`; records what the opening side says, a buffer per stream. */
export async function tapStreams(
  to: Endpoint,
): Promise<{ readonly endpoint: Endpoint; recorded(): readonly Buffer[]; close(): void }> {
  const recordings: Buffer[][] = []
  const sockets = new Set<Socket>()
  const server = createServer((incoming) => {
    const recording: Buffer[] = []
    recordings.push(recording)
    const outgoing = connect(to.port, to.address)
    for (const socket of [incoming, outgoing]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
    }
    incoming.on('data', (chunk: Buffer) => recording.push(chunk))
    incoming.pipe(outgoing)
    outgoing.pipe(incoming)
  })
  server.listen(0, LOOPBACK)
  await once(server, 'listening')
  return {
    endpoint: { address: LOOPBACK, port: (server.address() as AddressInfo).port },
    recorded: () => recordings.map((recording) => Buffer.concat(recording)),
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
