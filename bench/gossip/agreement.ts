/** Whether nodes know each other, and the same. */
import { type Fleet, type FleetNode, wait } from './fleet.ts'
import { machineMs } from './program-event.ts'

const START_TIMEOUT_MS = 60_000
const QUIET_TIMEOUT_MS = 15_000
const ASK_EVERY_MS = 200

/** Starts all nodes at once. @returns the time until everyone knew everyone and their values */
export async function startAll(fleet: Fleet): Promise<number> {
  const { nodes } = fleet
  const fromMs = machineMs()
  fleet.tell(nodes, 'start')
  await fleet.until('all started', START_TIMEOUT_MS, () => nodes.every(({ name }) => name !== ''))
  await fleet.until('everyone knowing everyone', START_TIMEOUT_MS, () => allKnown(nodes))
  return machineMs() - fromMs
}

function allKnown(nodes: readonly FleetNode[]): boolean {
  return allAlive(nodes) && nodes.every(({ values }) => values.size === nodes.length)
}

/** Whether each of the nodes takes each for living. */
export function allAlive(nodes: readonly FleetNode[]): boolean {
  return nodes.every(({ states }) => nodes.every(({ name }) => states.get(name) === 'alive'))
}

/** How many of how many nodes have the most common picture. */
export interface Agreement {
  readonly nodes: number
  readonly of: number
}

/** Asks nodes what they know until all know the same, at most for 15 s. */
export async function agreement(fleet: Fleet, nodes: readonly FleetNode[]): Promise<Agreement> {
  const deadlineMs = machineMs() + QUIET_TIMEOUT_MS
  let most = 0
  while (most < nodes.length && machineMs() < deadlineMs) {
    await wait(ASK_EVERY_MS)
    const counts = new Map<string, number>()
    for (const picture of await fleet.pictures(nodes)) {
      counts.set(picture, (counts.get(picture) ?? 0) + 1)
    }
    most = Math.max(...counts.values())
  }
  return { nodes: most, of: nodes.length }
}
