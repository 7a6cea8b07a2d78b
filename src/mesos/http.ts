import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { NavstarError } from '../base/error.ts'
import type { Closeable } from '../base/scope.ts'
import { failureOf } from './failure.ts'

/** One POST. */
export interface Post {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The answer to a POST; the body as it came over the wire. */
export interface Answer {
  readonly status: number
  readonly location: string | undefined
  readonly contentType: string
  readonly contentEncoding: string
  readonly body: Buffer
}

/** What bounds a POST. */
export interface PostLimits {
  readonly maxBytes: number
  readonly signal: AbortSignal
}

/**
 * Connections to Mesos, kept alive between calls, one at a time per host.
 *
 * A kept connection that the other side closed in the same moment is not an error: the call is
 * sent once more, which is safe since all our calls only read.
 */
export class MesosConnections implements Closeable {
  readonly #http = new HttpAgent({ keepAlive: true, maxSockets: 4 })
  readonly #https: HttpsAgent

  /** @param caPem certificates that may sign those of https servers */
  constructor(caPem?: string) {
    this.#https = new HttpsAgent({
      keepAlive: true,
      maxSockets: 4,
      ...(caPem === undefined ? {} : { ca: caPem }),
    })
  }

  /**
   * Sends a POST and collects the answer.
   *
   * @throws NavstarError MESOS_UNREACHABLE, MESOS_RESPONSE_INVALID (no HTTP),
   *   MESOS_RESPONSE_TOO_LARGE; the signal's reason when aborted
   */
  async post(post: Post, limits: PostLimits): Promise<Answer> {
    const first = await this.#attempt(post, limits)
    if (first !== 'stale') return first
    const second = await this.#attempt(post, limits)
    if (second !== 'stale') return second
    throw new NavstarError('MESOS_UNREACHABLE', { attempt: `post to ${post.url.href}` })
  }

  close(): void {
    this.#http.destroy()
    this.#https.destroy()
  }

  async #attempt(post: Post, limits: PostLimits): Promise<Answer | 'stale'> {
    let isReused = false
    try {
      return await this.#send(post, limits, (reused) => {
        isReused = reused
      })
    } catch (error) {
      limits.signal.throwIfAborted()
      if (error instanceof NavstarError) throw error
      const code = (error as NodeJS.ErrnoException).code ?? ''
      if (isReused && (code === 'ECONNRESET' || code === 'EPIPE')) return 'stale'
      throw new NavstarError(failureOf(error), {
        attempt: `post to ${post.url.href}`,
        cause: error,
      })
    }
  }

  /**
   * A daemon at rest does this and little else: callbacks cost half of what a signal for the
   * request and an iterator over the response do.
   */
  async #send(
    { url, headers, body }: Post,
    { maxBytes, signal }: PostLimits,
    onFailed: (isReused: boolean) => void,
  ): Promise<Answer> {
    signal.throwIfAborted()
    const isTls = url.protocol === 'https:'
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const options = {
      method: 'POST',
      agent: isTls ? this.#https : this.#http,
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    }
    const request = isTls ? requestHttps(url, options) : requestHttp(url, options)
    let isAnswered = false
    const fail = (error: unknown) => {
      onFailed(!isAnswered && request.reusedSocket)
      reject(error)
      request.destroy()
    }
    const onAbort = () => fail(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    request.on('error', fail)
    request.once('response', (response) => {
      isAnswered = true
      collect(response, { maxBytes, resolve, fail })
    })
    request.end(body)
    try {
      return await promise
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }
}

interface Collecting {
  readonly maxBytes: number
  readonly resolve: (answer: Answer) => void
  readonly fail: (error: unknown) => void
}

function collect(response: IncomingMessage, { maxBytes, resolve, fail }: Collecting): void {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  response.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.length
    if (sizeBytes > maxBytes) fail(tooLarge(maxBytes))
    else chunks.push(chunk)
  })
  response.on('error', fail)
  response.once('end', () => {
    const [first = Buffer.alloc(0)] = chunks
    resolve({
      status: response.statusCode ?? 0,
      location: response.headers.location,
      contentType: response.headers['content-type'] ?? '',
      contentEncoding: response.headers['content-encoding'] ?? 'identity',
      body: chunks.length > 1 ? Buffer.concat(chunks) : first,
    })
  })
}

/** The error for an answer that is larger than allowed. */
export function tooLarge(maxBytes: number): NavstarError {
  return new NavstarError('MESOS_RESPONSE_TOO_LARGE', {
    attempt: `read an answer of at most ${maxBytes} bytes`,
  })
}
