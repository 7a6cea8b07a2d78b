import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

/** Sockets on 127.0.0.1 and free ports, whatever was asked for. */
export async function openLocalSockets(
  _namespacePath: string,
  addresses: readonly string[],
): Promise<readonly Server[]> {
  const servers = addresses.map(() => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  return servers
}
