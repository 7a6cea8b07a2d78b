/** What nodes send when nothing changes. */
import { type MeasureOptions, openCluster } from './cluster.ts'

/** What came out. */
export interface Rest {
  readonly bytesPerNodeAndSecond: number
  readonly packetsPerNodeAndSecond: number
}

/** Lets a cluster at rest run for some seconds. */
export function measureRest(options: MeasureOptions, seconds: number): Rest {
  const { simulation } = openCluster(options)
  simulation.traffic.reset()
  simulation.runFor(seconds * 1000)
  const { bytes, packets } = simulation.traffic
  return {
    bytesPerNodeAndSecond: bytes / options.nodes / seconds,
    packetsPerNodeAndSecond: packets / options.nodes / seconds,
  }
}
