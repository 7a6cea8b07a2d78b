import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Registry } from 'prom-client'
import { NavstarError, toNavstarError } from '../base/error.ts'
import type { ErrorCode } from '../base/error-codes.ts'
import type { Log } from '../base/log.ts'
import { guardRequest } from './request-guard.ts'
import { findResource, type Resources } from './resource.ts'

/** What the server answers from. */
export interface AdminContent {
  readonly registry: Registry
  readonly resources: Resources
  readonly log: Log
}

interface Reply {
  readonly status: number
  readonly contentType: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

const MAX_BODY_BYTES = 64 * 1024

const STATUS_BY_CODE: Partial<Record<ErrorCode, number>> = {
  ADMIN_HOST_REFUSED: 403,
  ADMIN_METHOD_REFUSED: 405,
  ADMIN_NOT_FOUND: 404,
  ADMIN_REQUEST_INVALID: 400,
  GOSSIP_MEMBER_ALIVE: 409,
  GOSSIP_MEMBER_UNKNOWN: 404,
  VIP_UNKNOWN: 404,
}

/** Makes the HTTP server; it does not listen yet. */
export function createAdminServer(content: AdminContent): Server {
  const server = createServer((request, response) => {
    void answer(request, content).then((reply) => send(request, response, reply))
  })
  server.requestTimeout = 10_000
  server.headersTimeout = 5_000
  server.maxConnections = 128
  return server
}

async function answer(request: IncomingMessage, content: AdminContent): Promise<Reply> {
  try {
    guardRequest(request)
    return await route(request, content)
  } catch (thrown) {
    const attempt = `${request.method} ${request.url}`
    const error = toNavstarError(thrown, attempt)
    if (error.code === 'UNEXPECTED') content.log.error('admin request failed', { attempt, error })
    return errorReply(error)
  }
}

async function route(request: IncomingMessage, content: AdminContent): Promise<Reply> {
  const { method = 'GET', url = '/' } = request
  const target = URL.parse(url, 'http://localhost')
  const path = target?.pathname ?? ''
  const match = findResource({ ...content.resources, ...builtIn(content) }, method, path)
  if (match.kind === 'absent')
    throw new NavstarError('ADMIN_NOT_FOUND', { attempt: `find ${path}` })
  if (match.kind === 'wrong-method') {
    const error = new NavstarError('ADMIN_METHOD_REFUSED', { attempt: `${method} ${path}` })
    return { ...errorReply(error), headers: { allow: match.allowed } }
  }
  const body = method === 'POST' ? await readBody(request) : undefined
  const result: unknown = await match.resource(target?.searchParams ?? new URLSearchParams(), body)
  return result instanceof Text ? result.reply : jsonReply(200, result)
}

/** A result that is text and not JSON. */
class Text {
  readonly reply: Reply

  constructor(contentType: string, body: string) {
    this.reply = { status: 200, contentType, body }
  }
}

function builtIn({ registry }: AdminContent): Resources {
  return {
    '/healthz': () => ({ isAlive: true }),
    '/metrics': async () => new Text(registry.contentType, await registry.metrics()),
  }
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const attempt = 'read the request body'
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > MAX_BODY_BYTES)
      throw new NavstarError('ADMIN_REQUEST_INVALID', { attempt, cause: 'it exceeds 64 KiB' })
    chunks.push(chunk)
  }
  if (sizeBytes === 0) return undefined
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as unknown
  } catch (cause) {
    throw new NavstarError('ADMIN_REQUEST_INVALID', { attempt, cause })
  }
}

function jsonReply(status: number, value: unknown): Reply {
  return { status, contentType: 'application/json', body: `${JSON.stringify(value ?? null)}\n` }
}

function errorReply(error: NavstarError): Reply {
  const { code, message, hint } = error
  return jsonReply(STATUS_BY_CODE[code] ?? 500, { code, message, hint })
}

function send(request: IncomingMessage, response: ServerResponse, reply: Reply): void {
  const isUnread = !request.complete
  response.writeHead(reply.status, {
    'content-type': reply.contentType,
    'content-length': Buffer.byteLength(reply.body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(isUnread ? { connection: 'close' } : {}),
    ...reply.headers,
  })
  response.end(request.method === 'HEAD' ? undefined : reply.body)
}
