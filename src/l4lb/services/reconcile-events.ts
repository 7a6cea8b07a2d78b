import type { Log } from '../../base/log.ts'
import type { ReconcileEvents } from '../../base/reconcile.ts'
import type { L4lbMetrics } from '../metrics.ts'
import type { PlaneOperation } from '../plane.ts'

/** Counts and logs what the reconcile loop of VIPs does. */
export function reconcileEvents(log: Log, metrics: L4lbMetrics): ReconcileEvents<PlaneOperation> {
  return {
    onObserved: metrics.onObserved,
    onApplied: ({ operations, durationMs }) => {
      metrics.onApplied(operations, durationMs)
      for (const operation of operations) {
        if (operation.kind !== 'repair') continue
        log.info('repairs the data plane', { defects: operation.defects })
      }
      log.debug('applied a plan', { operations: operations.length, durationMs })
    },
    onDrift: (found) => {
      metrics.onDrift()
      log.info('kernel state was changed by someone else', { found })
    },
    onFailure: (error, failures) => {
      metrics.onFailure(error.code)
      log.warn('programming failed, will retry', { error, failures })
    },
  }
}
