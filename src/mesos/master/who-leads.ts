import type { Clock } from '../../base/clock.ts'
import { NavstarError } from '../../base/error.ts'
import { authorizationOf, type MesosCredential } from '../credential.ts'
import type { Answer, MesosConnections } from '../http.ts'
import { isRedirect, MAX_REDIRECTS, mayCarryCredentials, redirectTarget } from '../redirect.ts'
import { withDeadline } from './deadline.ts'
import { type MasterAddress, masterOfUrl, masterUrl } from './master-address.ts'

/**
 * The leading master, according to a master.
 *
 * @throws NavstarError MESOS_UNREACHABLE, MESOS_UNAVAILABLE (503: no leader yet), MESOS_FORBIDDEN,
 *   MESOS_REDIRECT_LOOP, MESOS_RESPONSE_INVALID
 */
export type AskMaster = (
  master: MasterAddress,
  options: { readonly signal: AbortSignal },
) => Promise<MasterAddress>

/** What {@link askOver} works with. */
export interface AskParts {
  readonly connections: MesosConnections
  readonly credential?: MesosCredential
  readonly clock: Clock
  readonly timeoutMs: number
}

/** An answer to GET_VERSION takes less than 1 kB. */
const MAX_BYTES = 64 * 1024

/**
 * Asks by a call that needs no permission: only the leader answers it, after it has recovered;
 * the others redirect. The end of the redirects has been asked too, so it does lead.
 *
 * **Source:** Apache Mesos `src/master/http.cpp` (api: the check for the leader precedes the call)
 */
export function askOver({ connections, credential, clock, timeoutMs }: AskParts): AskMaster {
  const headersFor = (from: URL, to: URL): Readonly<Record<string, string>> => ({
    'content-type': 'application/json',
    accept: 'application/json',
    ...(credential !== undefined && mayCarryCredentials(from, to)
      ? { authorization: authorizationOf(credential) }
      : {}),
  })
  const follow = async (first: URL, signal: AbortSignal): Promise<URL> => {
    let url = first
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const post = { url, headers: headersFor(first, url), body: '{"type":"GET_VERSION"}' }
      const answer = await connections.post(post, { maxBytes: MAX_BYTES, signal })
      if (answer.status === 200) return url
      const target = isRedirect(answer.status) ? redirectTarget(answer.location, url) : undefined
      if (target === undefined) throw refused(answer, url)
      url = target
    }
    throw new NavstarError('MESOS_REDIRECT_LOOP', {
      attempt: `ask who leads at ${first.host}, ${MAX_REDIRECTS} redirects, the last to ${url.host}`,
    })
  }
  return async (master, { signal }) => {
    const url = masterUrl(master, '/api/v1')
    const attempt = `ask who leads at ${url.host}`
    const deadline = { clock, timeoutMs, signal }
    try {
      const leader = masterOfUrl(await withDeadline(deadline, (within) => follow(url, within)))
      if (leader !== undefined) return leader
    } catch (cause) {
      signal.throwIfAborted()
      if (cause instanceof NavstarError) throw cause
      throw new NavstarError('MESOS_UNREACHABLE', { attempt, cause, hint: HINT })
    }
    throw new NavstarError('MESOS_RESPONSE_INVALID', { attempt, hint: HINT })
  }
}

const HINT = 'Check --masters, and that mesos-master runs there; the last known leader is kept.'

function refused(answer: Answer, url: URL): NavstarError {
  const { status } = answer
  const attempt = `ask who leads at ${url.host}`
  const cause = new Error(`HTTP status ${status}`)
  if (status === 401 || status === 403)
    return new NavstarError('MESOS_FORBIDDEN', { attempt, cause })
  if (status === 503) return new NavstarError('MESOS_UNAVAILABLE', { attempt, cause })
  return new NavstarError('MESOS_RESPONSE_INVALID', { attempt, cause, hint: HINT })
}
