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
      const response = await this.#send(post, limits.signal, (reused) => {
        isReused = reused
      })
      return await collect(response, limits.maxBytes)
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

  #send(
    { url, headers, body }: Post,
    signal: AbortSignal,
    onSent: (isReused: boolean) => void,
  ): Promise<IncomingMessage> {
    const isTls = url.protocol === 'https:'
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const options = {
      method: 'POST',
      agent: isTls ? this.#https : this.#http,
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      signal,
    }
    const request = isTls ? requestHttps(url, options) : requestHttp(url, options)
    request.once('response', (response) => {
      onSent(false)
      resolve(response)
    })
    request.once('error', (error) => {
      onSent(request.reusedSocket)
      reject(error)
    })
    request.end(body)
    return promise
  }
}

async function collect(response: IncomingMessage, maxBytes: number): Promise<Answer> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    // Leaving the loop destroys the response, so that the rest is never read.
    if (sizeBytes > maxBytes) throw tooLarge(maxBytes)
    chunks.push(chunk)
  }
  return {
    status: response.statusCode ?? 0,
    location: response.headers.location,
    contentType: response.headers['content-type'] ?? '',
    contentEncoding: response.headers['content-encoding'] ?? 'identity',
    body: Buffer.concat(chunks),
  }
}

/** The error for an answer that is larger than allowed. */
export function tooLarge(maxBytes: number): NavstarError {
  return new NavstarError('MESOS_RESPONSE_TOO_LARGE', {
    attempt: `read an answer of at most ${maxBytes} bytes`,
  })
}
