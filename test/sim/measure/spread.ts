/** How long until everyone has a change, and what it costs. */
import type { Effect, EngineInput } from '../../../src/gossip/engine/effects.ts'
import { recordBytes } from '../../../src/gossip/wire/record.ts'
import type { NodeId } from '../../../src/model/node-id.ts'
import type { OwnRecord } from '../../../src/model/record.ts'
import { oneOf } from '../dice.ts'
import type { Host } from '../host.ts'
import type { Simulation, Watcher } from '../simulation.ts'
import { drawBytes } from '../workload.ts'
import { type MeasureOptions, openCluster } from './cluster.ts'
import { Sample } from './percentile.ts'

/** What came out. */
export interface Spread {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly lastMs: number
  readonly bytesPerNodeAndChange: number
  readonly payloadBytes: number
}

/** A signed head; `docs/gossip.md`. */
const HEAD_BYTES = 16 + 8 + 8 + 1 + 32 + 64
const REST_MS = 10_000
const EVERY_MS = 250

/** Changes one record after another. */
export function measureSpread(options: MeasureOptions, changes: number): Spread {
  const { simulation, owners } = openCluster(options)
  simulation.traffic.reset()
  simulation.runFor(REST_MS)
  const restBytesPerMs = simulation.traffic.bytes / REST_MS
  const arrivals = new Arrivals(simulation)
  simulation.watchers.push(arrivals)
  simulation.traffic.reset()
  const startMs = simulation.nowMs
  let payloadBytes = 0
  for (let count = 0; count < changes; count++) {
    payloadBytes = changeOne(simulation, arrivals, oneOf(simulation.random, owners))
    simulation.runFor(EVERY_MS * (0.5 + simulation.random.next()))
    if (count % 20 === 19) options.say(`${options.nodes} nodes, change ${count + 1}`)
  }
  simulation.runFor(REST_MS)
  const restBytes = restBytesPerMs * (simulation.nowMs - startMs)
  const sample = arrivals.finish()
  const [p50Ms = 0, p99Ms = 0, lastMs = 0] = sample.percentiles(0.5, 0.99, 1)
  return {
    p50Ms,
    p99Ms,
    lastMs,
    bytesPerNodeAndChange: (simulation.traffic.bytes - restBytes) / options.nodes / changes,
    payloadBytes,
  }
}

function changeOne(simulation: Simulation, arrivals: Arrivals, host: Host): number {
  const [id, before] = oneOf(simulation.random, [...host.own])
  const value = drawBytes(simulation.random, before.value.length)
  const record: OwnRecord = { ...before, value }
  simulation.publish(host, [[id, record]])
  const version = host.engine?.version ?? 0
  arrivals.expect(host, version)
  const { kind, schema, key } = record
  return HEAD_BYTES + recordBytes({ kind, schema, key, value, version, isDeleted: false }).length
}

interface Change {
  readonly version: number
  readonly startMs: number
  readonly has: Uint8Array
}

/** Notes when each host shows each change. */
class Arrivals implements Watcher {
  readonly #simulation: Simulation
  readonly #changes = new Map<NodeId, Change[]>()
  readonly #sample = new Sample()

  constructor(simulation: Simulation) {
    this.#simulation = simulation
  }

  expect(owner: Host, version: number): void {
    if (owner.node === undefined) return
    const has = new Uint8Array(this.#simulation.hosts.length)
    has[owner.index] = 1
    const changes = this.#changes.get(owner.node) ?? []
    changes.push({ version, startMs: this.#simulation.nowMs, has })
    this.#changes.set(owner.node, changes)
  }

  onHandled(host: Host, _input: EngineInput, effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind !== 'records') continue
      for (const [, record] of effect.changes) {
        if (record !== undefined) this.#note(host, record.node, record.version)
      }
    }
  }

  #note(host: Host, owner: NodeId, version: number): void {
    for (const change of this.#changes.get(owner) ?? []) {
      if (change.version > version || change.has[host.index] === 1) continue
      change.has[host.index] = 1
      this.#sample.add(this.#simulation.nowMs - change.startMs)
    }
  }

  /** What nobody has by now never came. */
  finish(): Sample {
    for (const changes of this.#changes.values()) {
      for (const { has } of changes) {
        for (const one of has) if (one === 0) this.#sample.add(Number.POSITIVE_INFINITY)
      }
    }
    return this.#sample
  }
}
