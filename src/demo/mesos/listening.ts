import type { Server as HttpServer } from 'node:http'
import type { AddressInfo, Server } from 'node:net'

/** An address, 127.0.0.1 and a free port by default; or a socket that listens already. */
export type ListenPlace = { readonly host?: string; readonly port?: number } | Server

/** Serves there from now on. */
export async function listenAt(server: HttpServer, place: ListenPlace): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  if ('listening' in place) server.listen(place, resolve)
  else server.listen(place.port ?? 0, place.host ?? '127.0.0.1', resolve)
  await promise
}

/** Where it listens, e.g. `127.0.0.1:40123`. */
export function addressText(server: HttpServer): string {
  const { address, family, port } = server.address() as AddressInfo
  return `${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

/** Ends the server and its connections. */
export async function closeServer(server: HttpServer): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  server.closeAllConnections()
  await promise
}
