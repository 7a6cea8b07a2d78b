import type { IncomingMessage } from 'node:http'
import { NavstarError } from '../base/error.ts'
import { parseEndpoint } from '../model/endpoint.ts'

/**
 * Refuses what a browser may send for a page of somebody else: a name of theirs that resolves to
 * this host (DNS rebinding), a request from another origin, a form.
 *
 * @throws NavstarError `ADMIN_HOST_REFUSED`, `ADMIN_REQUEST_INVALID`
 */
export function guardRequest(request: IncomingMessage): void {
  const { host, origin, 'content-type': contentType } = request.headers
  const ownAddress = request.socket.localAddress?.replace(/^::ffff:/, '')
  if (!isOwnHost(host, ownAddress)) refuse('Host', host)
  if (origin !== undefined && !isOwnHost(origin.replace(/^https?:\/\//, ''), ownAddress))
    refuse('Origin', origin)
  if (request.method !== 'POST' || /^application\/json\b/.test(contentType ?? '')) return
  const attempt = `read content type '${contentType ?? ''}'`
  throw new NavstarError('ADMIN_REQUEST_INVALID', { attempt })
}

/**
 * Whether a Host header names this host by loopback or by the address that was connected to.
 *
 * @param host e.g. `127.0.0.1:62080`, `localhost`, `[::1]:62080`
 */
export function isOwnHost(host: string | undefined, ownAddress: string | undefined): boolean {
  if (host === undefined) return false
  if (/^localhost(:\d{1,5})?$/i.test(host)) return true
  const address: string | undefined = parseEndpoint(host, 80)?.address
  if (address === undefined) return false
  return address.startsWith('127.') || address === '::1' || address === ownAddress
}

function refuse(header: string, value: string | undefined): never {
  throw new NavstarError('ADMIN_HOST_REFUSED', { attempt: `check ${header} '${value ?? ''}'` })
}
