/** How many backends of a service may be out at once. */
import type { Backend, Service } from '../../model/vip.ts'

/** What became of a service whose failing backends were taken out. */
export interface SparedService {
  readonly service: Service
  /** So many failed that none was taken out: then it is rather the network, or us. */
  readonly isPanicking: boolean
}

/** The share of a service's active backends that may be out. */
export const PANIC_SHARE = 0.5

/**
 * Gives failing backends the weight 0, unless more than half of the active ones fail: then all stay,
 * since spreading over few that work would break those too.
 */
export function spare(service: Service, isFailing: (backend: Backend) => boolean): SparedService {
  const active = service.backends.filter(({ weight }) => weight > 0)
  const failing = new Set(active.filter(isFailing))
  if (failing.size === 0) return { service, isPanicking: false }
  if (failing.size > active.length * PANIC_SHARE) return { service, isPanicking: true }
  const backends = service.backends.map((each) =>
    failing.has(each) ? { ...each, weight: 0 } : each,
  )
  return { service: { ...service, backends }, isPanicking: false }
}
