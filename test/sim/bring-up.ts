/** How most scenarios begin. */
import type { Scene } from './scenario.ts'

/** More nodes than that start knowing each other: to join all at once would take the run's time. */
const MOST_JOINING = 200

/** Joins hosts through the seeds and waits until they know each other. */
export function bringUp({ stage, simulation, nodes }: Scene): void {
  if (simulation.hosts.length === 0) stage.addHosts(nodes, 3)
  if (nodes > MOST_JOINING) stage.preload()
  else stage.joinAll(1000)
  simulation.runFor(8000)
}
