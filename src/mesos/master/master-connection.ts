/**
 * Calls to a master over HTTP: one that goes on as a stream of records, and one with one answer.
 *
 * **Source:** Apache Mesos `src/master/http.cpp` (Http::api): authentication, authorization, the
 * redirect to the leader, 503 while there is none or it recovers, 415, 406 precede each call
 */
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Clock } from '../../base/clock.ts'
import { NavstarError } from '../../base/error.ts'
import type { Closeable } from '../../base/scope.ts'
import { decompress } from '../content.ts'
import { authorizationOf, type MesosCredential } from '../credential.ts'
import { failureOf } from '../failure.ts'
import { type Answer, MesosConnections } from '../http.ts'
import { isRedirect, MAX_REDIRECTS, mayCarryCredentials, redirectTarget } from '../redirect.ts'
import { withDeadline } from './deadline.ts'
import { type MasterAddress, masterUrl } from './master-address.ts'

/** A stream that has begun. */
export interface OpenStream {
  /** Where it was found, after redirects. */
  readonly url: URL
  readonly contentType: string
  readonly response: IncomingMessage
}

/** What a {@link MasterConnection} works with. */
export interface MasterConnectionParts {
  readonly credential?: MesosCredential
  /** Certificates (PEM) that may sign those of masters. */
  readonly caPem?: string
  readonly clock: Clock
  /** After this long without the head of an answer a call fails. */
  readonly timeoutMs: number
  readonly maxStateBytes: number
  /** After this long without a whole state an audit fails. */
  readonly stateTimeoutMs: number
}

/** A call as bytes: a message whose first field, `type`, is the call's number. */
const PROTOBUF = { type: 'application/x-protobuf', SUBSCRIBE: '\x08\x12', GET_STATE: '\x08\x09' }
const JSON_FORMAT = {
  type: 'application/json',
  SUBSCRIBE: '{"type":"SUBSCRIBE"}',
  GET_STATE: '{"type":"GET_STATE"}',
}
const HINT = 'Check --masters, and that mesos-master runs there; what was known before is kept.'

/** Of a refusal we keep this much. */
const MAX_SAID = 200

/** Calls to masters. */
export class MasterConnection implements Closeable {
  readonly #parts: MasterConnectionParts
  readonly #connections: MesosConnections

  constructor(parts: MasterConnectionParts) {
    this.#parts = parts
    this.#connections = new MesosConnections(parts.caPem)
  }

  /**
   * Subscribes, in protobuf; in JSON where that is refused. The signal also ends the stream.
   *
   * @throws NavstarError MESOS_UNREACHABLE, MESOS_UNAVAILABLE, MESOS_FORBIDDEN,
   *   MESOS_REDIRECT_LOOP, MESOS_RESPONSE_INVALID; the signal's reason when aborted
   */
  async subscribe(
    master: MasterAddress,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<OpenStream> {
    const first = masterUrl(master, '/api/v1')
    try {
      return (
        (await this.#subscribeIn(PROTOBUF, first, signal)) ??
        (await this.#subscribeIn(JSON_FORMAT, first, signal)) ??
        (await Promise.reject(new Error('neither protobuf nor JSON is taken')))
      )
    } catch (cause) {
      signal.throwIfAborted()
      throw asNavstarError(cause, `subscribe at ${first.host}`)
    }
  }

  /**
   * The state in the format of the stream, from where the stream comes; redirects are not
   * followed, as another master has another picture.
   *
   * @throws NavstarError as {@link subscribe}, MESOS_RESPONSE_TOO_LARGE
   */
  async getState(
    { url, contentType }: Pick<OpenStream, 'url' | 'contentType'>,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<{ readonly bytes: Uint8Array; readonly contentType: string }> {
    const attempt = `GET_STATE at ${url.host}`
    const { clock, stateTimeoutMs, maxStateBytes } = this.#parts
    const format = contentType.startsWith(PROTOBUF.type) ? PROTOBUF : JSON_FORMAT
    const headers = { ...this.#headersFor(url, url, format.type), 'accept-encoding': 'gzip' }
    const deadline = { clock, timeoutMs: stateTimeoutMs, signal }
    let answer: Answer
    try {
      answer = await withDeadline(deadline, (within) =>
        this.#connections.post(
          { url, headers, body: format.GET_STATE },
          { maxBytes: maxStateBytes, signal: within },
        ),
      )
    } catch (cause) {
      signal.throwIfAborted()
      throw asNavstarError(cause, attempt)
    }
    if (answer.status !== 200) throw refusal(answer.status, attempt, '')
    return { bytes: await decompress(answer, maxStateBytes), contentType: answer.contentType }
  }

  close(): void {
    this.#connections.close()
  }

  /** @returns undefined when the format is refused */
  async #subscribeIn(
    format: typeof PROTOBUF,
    first: URL,
    signal: AbortSignal,
  ): Promise<OpenStream | undefined> {
    const { clock, timeoutMs } = this.#parts
    let url = first
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const headers = this.#headersFor(first, url, format.type)
      const post = { url, headers, body: format.SUBSCRIBE }
      const { response, said } = await withDeadline({ clock, timeoutMs, signal }, (within) =>
        begin(post, this.#parts.caPem, within),
      )
      const status = response.statusCode ?? 0
      if (status === 200) {
        return { url, contentType: response.headers['content-type'] ?? '', response }
      }
      if (status === 406 || status === 415) return undefined
      const { location } = response.headers
      const target = isRedirect(status) ? redirectTarget(location, url) : undefined
      if (target === undefined) throw refusal(status, `subscribe at ${url.host}`, said)
      url = target
    }
    throw new NavstarError('MESOS_REDIRECT_LOOP', {
      attempt: `subscribe at ${first.host}, ${MAX_REDIRECTS} redirects, the last to ${url.host}`,
    })
  }

  #headersFor(from: URL, to: URL, mediaType: string): Readonly<Record<string, string>> {
    const { credential } = this.#parts
    const isAuthorized = credential !== undefined && mayCarryCredentials(from, to)
    return {
      // Mesos compares the types as a whole; it knows none for RecordIO.
      'content-type': mediaType,
      accept: mediaType,
      ...(isAuthorized ? { authorization: authorizationOf(credential) } : {}),
    }
  }
}

interface StreamPost {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A half-open connection ends after so long. */
const KEEP_ALIVE_MS = 15_000

/** @returns once the head of the answer is there; of a refusal, once it is read */
async function begin(
  post: StreamPost,
  caPem: string | undefined,
  signal: AbortSignal,
): Promise<{ readonly response: IncomingMessage; readonly said: string }> {
  const response = await send(post, caPem, signal)
  const said = response.statusCode === 200 ? '' : await textOfRefusal(response)
  signal.throwIfAborted()
  return { response, said }
}

/** Sends on a connection of its own. */
function send(
  { url, headers, body }: StreamPost,
  caPem: string | undefined,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const all = { ...headers, 'content-length': Buffer.byteLength(body) }
  const options = { method: 'POST', agent: false, headers: all, signal }
  const request =
    url.protocol === 'https:'
      ? requestHttps(url, { ...options, ...(caPem === undefined ? {} : { ca: caPem }) })
      : requestHttp(url, options)
  request.once('response', resolve)
  // Stays: the request reports errors of its response as well.
  request.on('error', reject)
  request.once('socket', (socket) => socket.setKeepAlive(true, KEEP_ALIVE_MS))
  request.end(body)
  return promise
}

/** What a refusal says, and the way in which a 401 wants to be asked. */
async function textOfRefusal(response: IncomingMessage): Promise<string> {
  let said = response.headers['www-authenticate'] ?? ''
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      said += chunk.toString('utf8')
      if (said.length > MAX_SAID) break
    }
  } catch {
    // Its status says enough.
  }
  return said.slice(0, MAX_SAID)
}

function refusal(status: number, attempt: string, said: string): NavstarError {
  const cause = new Error(`HTTP status ${status}${said === '' ? '' : `: ${said}`}`)
  if (status === 401 || status === 403) {
    return new NavstarError('MESOS_FORBIDDEN', { attempt, cause })
  }
  const code = status === 503 ? 'MESOS_UNAVAILABLE' : 'MESOS_RESPONSE_INVALID'
  return new NavstarError(code, { attempt, cause, hint: HINT })
}

function asNavstarError(cause: unknown, attempt: string): NavstarError {
  if (cause instanceof NavstarError) return cause
  const code = failureOf(cause)
  if (code === 'MESOS_UNTRUSTED') return new NavstarError(code, { attempt, cause })
  return new NavstarError(code, { attempt, cause, hint: HINT })
}
