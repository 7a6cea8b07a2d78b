/** A redirect is followed at most this often before the call fails. */
export const MAX_REDIRECTS = 5

/**
 * Whether the status asks to send the same request, body included, elsewhere. 301 to 303 do not:
 * they would turn the POST into a GET, and Mesos never sends them here.
 *
 * **Source:** RFC 9110 §15.4.8, §15.4.9
 */
export function isRedirect(status: number): boolean {
  return status === 307 || status === 308
}

/**
 * Where a redirect leads. Mesos leaves the scheme out (`//10.0.0.7:5050/api/v1`): it is ours.
 *
 * @returns undefined when there is no usable target
 */
export function redirectTarget(location: string | undefined, from: URL): URL | undefined {
  if (location === undefined || !URL.canParse(location, from.href)) return undefined
  const target = new URL(location, from)
  const isHttp = target.protocol === 'http:' || target.protocol === 'https:'
  if (!isHttp || target.hostname === '') return undefined
  // A redirect cannot choose the credentials that are sent.
  target.username = ''
  target.password = ''
  return target
}

/**
 * Whether credentials may go to `target`. The configured host vouches for those it redirects to
 * (a Mesos master that is not leading does), but a secret that was to travel encrypted never
 * leaves in clear text.
 */
export function mayCarryCredentials(configured: URL, target: URL): boolean {
  return configured.protocol !== 'https:' || target.protocol === 'https:'
}
