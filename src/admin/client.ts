import { NavstarError } from '../base/error.ts'
import { ERROR_CODES, type ErrorCode } from '../base/error-codes.ts'

/** How a resource is asked for. */
export interface FetchAdminOptions {
  readonly method?: 'GET' | 'POST'
  /** Sent as JSON with a POST. */
  readonly body?: unknown
  readonly signal?: AbortSignal
  /** Default: five seconds. */
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 5_000

/**
 * Asks the daemon's admin server.
 *
 * @param address where it listens, e.g. `127.0.0.1:62080`
 * @param path e.g. `/v1/vips`, with a query if any
 * @returns the JSON that came; the text when it is not JSON
 * @throws NavstarError `ADMIN_UNREACHABLE`; the daemon's own code when it answered with an error
 */
export async function fetchAdmin(
  address: string,
  path: string,
  { method = 'GET', body, signal, timeoutMs = TIMEOUT_MS }: FetchAdminOptions = {},
): Promise<unknown> {
  const attempt = `${method} http://${address}${path}`
  const timeout = AbortSignal.timeout(timeoutMs)
  let response: Response
  let text: string
  try {
    response = await fetch(`http://${address}${path}`, {
      method,
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      ...(method === 'POST' ? jsonBody(body) : {}),
    })
    text = await response.text()
  } catch (cause) {
    signal?.throwIfAborted()
    throw new NavstarError('ADMIN_UNREACHABLE', { attempt, cause })
  }
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
  const content: unknown = isJson ? parseJson(text) : text
  if (response.ok) return content
  throw errorOf(content, attempt)
}

function jsonBody(body: unknown): Pick<RequestInit, 'headers' | 'body'> {
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body ?? null) }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The error that the daemon reported; anything else is not our daemon. */
function errorOf(content: unknown, attempt: string): NavstarError {
  const { code, message, hint } = (content ?? {}) as Readonly<Record<string, unknown>>
  if (typeof code !== 'string' || !isErrorCode(code))
    return new NavstarError('ADMIN_UNREACHABLE', { attempt, cause: 'something else answers there' })
  return new NavstarError(code, {
    attempt,
    cause: message,
    ...(typeof hint === 'string' ? { hint } : {}),
  })
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code)
}
