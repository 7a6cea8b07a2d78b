import type { Backend, Service } from '../../model/vip.ts'

/**
 * Of a service that prefers near backends, gives those that are farther the weight 0 while a nearer
 * one takes connections: on this node, then (or first, for `zone`) in its zone, then everywhere.
 */
export function preferNear(service: Service): Service {
  const { options, backends } = service
  const { locality = 'none' } = options ?? {}
  if (locality === 'none') return service
  const ranked = backends.filter(({ weight }) => weight > 0).map((each) => rankOf(each, locality))
  const nearest = Math.min(...ranked)
  if (nearest === FAR) return service
  return {
    ...service,
    backends: backends.map((each) =>
      rankOf(each, locality) > nearest ? { ...each, weight: 0 } : each,
    ),
  }
}

const FAR = 2

function rankOf({ near }: Backend, locality: 'node' | 'zone'): number {
  if (near === undefined) return FAR
  return near === 'node' || locality === 'zone' ? 0 : 1
}
