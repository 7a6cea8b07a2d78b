/** How often a node that lives and works is doubted. */
import type { Statement } from '../../../src/gossip/engine/statements.ts'
import type { NodeId } from '../../../src/model/node-id.ts'
import { between, shuffled } from '../dice.ts'
import type { Host } from '../host.ts'
import type { Simulation, Watcher } from '../simulation.ts'
import { type MeasureOptions, openCluster } from './cluster.ts'

/** What came out. */
export interface Alarms {
  readonly nodeHours: number
  /** Doubts of nodes that worked, each incarnation once. */
  readonly falseAlarms: number
  /** Doubts of nodes that stood still, or had in the last second. */
  readonly stalledDoubts: number
  readonly stalls: number
}

/** A node that just woke up still has to catch up. */
const WAKING_MS = 1000
const STALL_MS: readonly [least: number, most: number] = [200, 3000]
const STALL_GAP_MS = 5000
const SLICE_MS = 60_000

/** Lets a cluster run, with loss and, if wished, with a share of the nodes stalling now and then. */
export function measureAlarms(
  options: MeasureOptions,
  { nodeHours, stallingShare }: { readonly nodeHours: number; readonly stallingShare: number },
): Alarms {
  const { simulation } = openCluster(options)
  const watch = new AlarmWatch(simulation)
  simulation.watchers.push(watch)
  const count = Math.round(options.nodes * stallingShare)
  for (const host of shuffled(simulation.random, simulation.hosts).slice(0, count)) {
    keepStalling(simulation, host, watch)
  }
  const endMs = simulation.nowMs + (nodeHours / options.nodes) * 3_600_000
  while (simulation.nowMs < endMs) {
    simulation.runUntil(Math.min(endMs, simulation.nowMs + SLICE_MS))
    const { falseAlarms, stalledDoubts } = watch
    const minutes = Math.round(simulation.nowMs / 60_000)
    options.say(`${options.nodes} nodes, ${minutes} min, ${falseAlarms} + ${stalledDoubts} doubts`)
  }
  const { falseAlarms, stalledDoubts, stalls } = watch
  return { nodeHours, falseAlarms, stalledDoubts, stalls }
}

function keepStalling(simulation: Simulation, host: Host, watch: AlarmWatch): void {
  const { random } = simulation
  const gapMs = -Math.log(1 - random.next()) * STALL_GAP_MS
  simulation.at(simulation.nowMs + gapMs, () => {
    const [least, most] = STALL_MS
    const stallMs = Math.exp(between(random, Math.log(least), Math.log(most)))
    watch.stalls++
    simulation.pause(host, stallMs)
    simulation.at(simulation.nowMs + stallMs, () => keepStalling(simulation, host, watch))
  })
}

/** Counts accusations as they are made. */
class AlarmWatch implements Watcher {
  falseAlarms = 0
  stalledDoubts = 0
  stalls = 0
  readonly #simulation: Simulation
  readonly #accused = new Set<string>()
  readonly #hosts: ReadonlyMap<NodeId | undefined, Host>

  constructor(simulation: Simulation) {
    this.#simulation = simulation
    this.#hosts = new Map(simulation.hosts.map((host) => [host.node, host]))
  }

  onSigned(_host: Host, statement: Statement): void {
    if (statement.kind !== 'accusation') return
    const key = `${statement.subject} ${statement.incarnation}`
    if (this.#accused.has(key)) return
    this.#accused.add(key)
    const subject = this.#hosts.get(statement.subject)
    const isStalled = (subject?.pausedUntilMs ?? 0) > this.#simulation.nowMs - WAKING_MS
    if (isStalled && (subject?.pausedUntilMs ?? 0) > 0) this.stalledDoubts++
    else this.falseAlarms++
  }
}
