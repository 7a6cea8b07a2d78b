/**
 * The operator API of a Mesos agent: `POST /api/v1` with a call, one answer.
 *
 * **Source:** Apache Mesos `src/slave/http.cpp` (api), `include/mesos/v1/agent/agent.proto`
 */
import type { Clock } from '../base/clock.ts'
import { NavstarError } from '../base/error.ts'
import type { Closeable } from '../base/scope.ts'
import type { MesosOptions } from './config.ts'
import { authorizationOf } from './credential.ts'
import { type Answer, MesosConnections } from './http.ts'
import { isRedirect, MAX_REDIRECTS, mayCarryCredentials, redirectTarget } from './redirect.ts'

/** The calls that we make. */
export type AgentCall = 'GET_STATE' | 'GET_AGENT'

/** What the poller needs of an agent. */
export interface AgentApi {
  /** Makes a call. Resolves with a 200 only; its body is not decompressed yet. */
  call(type: AgentCall, options: { readonly signal: AbortSignal }): Promise<Answer>
}

/** The options of {@link AgentClient}. */
export type AgentClientOptions = Pick<
  MesosOptions,
  'credential' | 'caPem' | 'timeoutMs' | 'maxStateBytes'
> & { readonly agentUrl: string }

/** A client of one agent over HTTP. */
export class AgentClient implements AgentApi, Closeable {
  readonly #options: AgentClientOptions
  readonly #clock: Clock
  readonly #url: URL
  readonly #connections: MesosConnections

  constructor(options: AgentClientOptions, clock: Clock) {
    this.#options = options
    this.#clock = clock
    this.#url = new URL('/api/v1', options.agentUrl)
    this.#connections = new MesosConnections(options.caPem)
  }

  /**
   * Makes a call, following redirects with the same body.
   *
   * @throws NavstarError MESOS_UNREACHABLE, MESOS_UNAVAILABLE (503), MESOS_FORBIDDEN (401, 403),
   *   MESOS_REDIRECT_LOOP, MESOS_RESPONSE_INVALID (other answers), MESOS_RESPONSE_TOO_LARGE;
   *   the signal's reason when aborted
   */
  async call(type: AgentCall, { signal }: { readonly signal: AbortSignal }): Promise<Answer> {
    signal.throwIfAborted()
    const { timeoutMs } = this.#options
    const ending = new AbortController()
    const onAbort = () => ending.abort(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    const cancel = this.#clock.after(timeoutMs, () =>
      ending.abort(new Error(`no whole answer within ${timeoutMs} ms`)),
    )
    try {
      return await this.#follow(type, ending.signal)
    } catch (error) {
      signal.throwIfAborted()
      if (!ending.signal.aborted) throw error
      throw new NavstarError('MESOS_UNREACHABLE', {
        attempt: `${type} at ${this.#url.href}`,
        cause: error,
      })
    } finally {
      cancel()
      signal.removeEventListener('abort', onAbort)
    }
  }

  close(): void {
    this.#connections.close()
  }

  async #follow(type: AgentCall, signal: AbortSignal): Promise<Answer> {
    const limits = { maxBytes: this.#options.maxStateBytes, signal }
    let url = this.#url
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const post = { url, headers: this.#headersFor(url), body: JSON.stringify({ type }) }
      const answer = await this.#connections.post(post, limits)
      if (!isRedirect(answer.status)) return accept(answer, `${type} at ${url.href}`)
      const target = redirectTarget(answer.location, url)
      if (target === undefined) throw refuse(answer, `follow the redirect of ${url.href}`)
      url = target
    }
    throw new NavstarError('MESOS_REDIRECT_LOOP', {
      attempt: `${type} at ${this.#url.href}, ${MAX_REDIRECTS} redirects, the last to ${url.href}`,
    })
  }

  #headersFor(url: URL): Readonly<Record<string, string>> {
    const { credential } = this.#options
    const isAuthorized = credential !== undefined && mayCarryCredentials(this.#url, url)
    return {
      // Compared by Mesos as a whole: a charset parameter would be answered 415.
      'content-type': 'application/json',
      accept: 'application/json',
      'accept-encoding': 'gzip',
      ...(isAuthorized ? { authorization: authorizationOf(credential) } : {}),
    }
  }
}

function accept(answer: Answer, attempt: string): Answer {
  if (answer.status === 200) return answer
  throw refuse(answer, attempt)
}

function refuse(answer: Answer, attempt: string): NavstarError {
  const { status } = answer
  const said = answer.contentEncoding === 'identity' ? answer.body.toString('utf8', 0, 200) : ''
  const cause = new Error(`HTTP status ${status}${said === '' ? '' : `: ${said}`}`)
  if (status === 401 || status === 403)
    return new NavstarError('MESOS_FORBIDDEN', { attempt, cause })
  if (status === 503) return new NavstarError('MESOS_UNAVAILABLE', { attempt, cause })
  return new NavstarError('MESOS_RESPONSE_INVALID', { attempt, cause })
}
