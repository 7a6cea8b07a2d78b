/**
 * Answers one path, with the body of a POST or undefined; what it returns becomes JSON. A thrown `ADMIN_REQUEST_INVALID` is answered
 * 400, `ADMIN_NOT_FOUND` 404, `GOSSIP_MEMBER_…` 404 and 409, anything else 500.
 */
export type Resource = (query: URLSearchParams, body: unknown) => unknown

/** Resources by path: `/v1/vips` for GET, `POST /v1/drain` for POST. */
export type Resources = Readonly<Record<string, Resource>>

/** A resource found for a request. */
export type ResourceMatch =
  | { readonly kind: 'found'; readonly resource: Resource }
  | { readonly kind: 'wrong-method'; readonly allowed: string }
  | { readonly kind: 'absent' }

/** Finds the resource for a method and path; HEAD is served as GET. */
export function findResource(resources: Resources, method: string, path: string): ResourceMatch {
  const get = ownValue(resources, path) ?? ownValue(resources, `GET ${path}`)
  const post = ownValue(resources, `POST ${path}`)
  const resource = method === 'POST' ? post : get
  const isKnownMethod = ['GET', 'HEAD', 'POST'].includes(method)
  if (resource !== undefined && isKnownMethod) return { kind: 'found', resource }
  if (get === undefined && post === undefined) return { kind: 'absent' }
  const allowed = [get && 'GET, HEAD', post && 'POST'].filter((name) => name !== undefined)
  return { kind: 'wrong-method', allowed: allowed.join(', ') }
}

function ownValue(resources: Resources, key: string): Resource | undefined {
  return Object.hasOwn(resources, key) ? resources[key] : undefined
}
