/**
 * Listens on addresses and sends the sockets to its parent, which spoke of a namespace to start it
 * in: `sockets-main.ts 127.0.0.1:5051 10.99.0.1:5050`.
 */
import { once } from 'node:events'
import { createServer } from 'node:net'

for (const address of process.argv.slice(2)) {
  const colon = address.lastIndexOf(':')
  const server = createServer()
  server.listen(Number(address.slice(colon + 1)), address.slice(0, colon))
  await once(server, 'listening')
  const { promise, resolve } = Promise.withResolvers<void>()
  process.send?.(address, server, {}, () => resolve())
  await promise
  server.unref()
}
process.disconnect()
