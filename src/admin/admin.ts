import type { Server } from 'node:http'
import { NavstarError } from '../base/error.ts'
import type { Scope } from '../base/scope.ts'
import { type Endpoint, parseEndpoint } from '../model/endpoint.ts'
import { formatEndpoint } from '../model/vip.ts'
import type { AdminOptions } from './config.ts'
import { type AdminContent, createAdminServer } from './server.ts'

export type { Resource, Resources } from './resource.ts'

/** What the admin server needs. */
export interface AdminContext extends AdminContent {
  readonly options: AdminOptions
  /** Ends the server when it closes. */
  readonly scope: Scope
}

/** A running admin server. */
export interface Admin {
  /** Where it listens, e.g. `127.0.0.1:62080`. */
  readonly address: string
}

/**
 * Serves `/metrics`, `/healthz` and the resources over HTTP.
 *
 * @throws NavstarError `ADMIN_BIND_FAILED`, `CONFIG_INVALID` when the address is none
 */
export async function startAdmin({ options, scope, ...content }: AdminContext): Promise<Admin> {
  const attempt = `listen on ${options.listen}`
  const endpoint = parseEndpoint(options.listen)
  if (endpoint === undefined) throw new NavstarError('CONFIG_INVALID', { attempt })
  const server = createAdminServer(content)
  try {
    await listen(server, endpoint)
  } catch (cause) {
    throw new NavstarError('ADMIN_BIND_FAILED', { attempt, cause })
  }
  server.on('error', (error) => content.log.warn('admin server failed', { error }))
  scope.defer(() => close(server))
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : endpoint.port
  return { address: formatEndpoint({ ...endpoint, port }) }
}

function listen(server: Server, { address, port }: Endpoint): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen({ host: address, port, exclusive: true }, () => {
    server.off('error', reject)
    resolve()
  })
  return promise
}

function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  server.closeAllConnections()
  return promise
}
