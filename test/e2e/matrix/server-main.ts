/**
 * Servers of one namespace that answer with a name: standard input is a line of JSON, a list of
 * {@link Listener}; prints `ready` once all listen, and ends with its standard input.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import type { Listener } from './stage.ts'

for await (const line of createInterface({ input: process.stdin })) {
  await Promise.all((JSON.parse(line) as Listener[]).map(listen))
  process.stdout.write('ready\n')
}
process.exit()

async function listen({ protocol, address, port, name }: Listener): Promise<void> {
  if (protocol === 'tcp') {
    const server = createServer((socket) => {
      socket.on('error', () => undefined) // clients go as they like
      socket.end(`${name}\n`)
    })
    server.listen({ host: address, port })
    await once(server, 'listening')
    return
  }
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  socket.on('error', () => undefined) // an answer that nobody awaits any more
  socket.on('message', (_, client) => socket.send(name, client.port, client.address))
  socket.bind({ address, port })
  await once(socket, 'listening')
}
