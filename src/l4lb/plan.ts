import type { Service, ServiceKey } from '../model/vip.ts'
import type { Plane, PlaneObservation, PlaneOperation } from './plane.ts'

/** What {@link planOperations} compares. */
export interface PlanInput {
  readonly desired: { get(key: ServiceKey): Service | undefined; keys(): Iterable<ServiceKey> }
  readonly observed: PlaneObservation
  readonly plane: Pick<Plane, 'render'>
  /** Only these services; all when absent. */
  readonly keys?: Iterable<ServiceKey>
  /** False while inputs are incomplete: nothing is removed then. */
  readonly mayPrune: boolean
}

/**
 * The operations that make observed equal desired: repairs first, then services that are missing
 * or differ, then those that nobody wants.
 */
export function planOperations({
  desired,
  observed,
  plane,
  keys,
  mayPrune,
}: PlanInput): PlaneOperation[] {
  const operations: PlaneOperation[] = []
  if (observed.defects.length > 0) operations.push({ kind: 'repair', defects: observed.defects })
  const removals: PlaneOperation[] = []
  for (const key of new Set(keys ?? [...desired.keys(), ...observed.services.keys()])) {
    const service = desired.get(key)
    const rendering = observed.services.get(key)
    if (service === undefined) {
      if (rendering !== undefined && mayPrune) removals.push({ kind: 'remove', key })
    } else if (plane.render(service) !== rendering) operations.push({ kind: 'put', key, service })
  }
  return [...operations, ...removals]
}

/** An operation as a line of text for `navstar plan` and the log. */
export function describeOperation(operation: PlaneOperation, plane: Pick<Plane, 'render'>): string {
  switch (operation.kind) {
    case 'repair':
      return `repair ${operation.defects.join('; ')}`
    case 'put': {
      const name = operation.service.name === undefined ? '' : ` (${operation.service.name})`
      return `put    ${operation.key}${name}: ${plane.render(operation.service) || 'no backends'}`
    }
    case 'remove':
      return `remove ${operation.key}`
    default:
      return operation satisfies never
  }
}
