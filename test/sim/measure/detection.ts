/** How long until a dead node gets no new connections from anyone. */
import type { Effect, EngineInput } from '../../../src/gossip/engine/effects.ts'
import type { NodeId } from '../../../src/model/node-id.ts'
import { between, oneOf } from '../dice.ts'
import type { Host } from '../host.ts'
import type { Simulation, Watcher } from '../simulation.ts'
import { type MeasureOptions, openCluster } from './cluster.ts'
import { Sample } from './percentile.ts'

/** What came out, over all pairs of a crash and a node that lived. */
export interface Detection {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly lastMs: number
}

const WAIT_MS = 5000

/** Crashes one host after another and starts it again. */
export function measureDetection(options: MeasureOptions, crashes: number): Detection {
  const { simulation, stage } = openCluster(options)
  const sample = new Sample()
  for (let count = 0; count < crashes; count++) {
    simulation.runFor(between(simulation.random, 0, 500))
    const host = oneOf(simulation.random, stage.living)
    const doubts = new Doubts(simulation, host.node)
    simulation.watchers.push(doubts)
    simulation.crash(host, { keepsDisk: true })
    simulation.runFor(WAIT_MS)
    simulation.watchers.splice(simulation.watchers.indexOf(doubts), 1)
    for (const living of stage.living) {
      sample.add(doubts.afterMs.get(living) ?? Number.POSITIVE_INFINITY)
    }
    stage.start(host)
    simulation.runFor(WAIT_MS)
    options.say(`${options.nodes} nodes, crash ${count + 1}`)
  }
  const [p50Ms = 0, p99Ms = 0, lastMs = 0] = sample.percentiles(0.5, 0.99, 1)
  return { p50Ms, p99Ms, lastMs }
}

/** Notes when each host first shows a node as anything but alive. */
class Doubts implements Watcher {
  readonly afterMs: Map<Host, number> = new Map()
  readonly #simulation: Simulation
  readonly #node: NodeId | undefined
  readonly #startMs: number

  constructor(simulation: Simulation, node: NodeId | undefined) {
    this.#simulation = simulation
    this.#node = node
    this.#startMs = simulation.nowMs
  }

  onHandled(host: Host, _input: EngineInput, effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind !== 'members') continue
      for (const [node, member] of effect.changes) {
        if (node !== this.#node) continue
        if (member?.state === 'alive') this.afterMs.delete(host)
        else if (!this.afterMs.has(host)) {
          this.afterMs.set(host, this.#simulation.nowMs - this.#startMs)
        }
      }
    }
  }
}
