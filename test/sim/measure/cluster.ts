/** Clusters to measure: up, known to each other, at rest. */
import { ENGINE_DEFAULTS, type EngineSettings } from '../../../src/gossip/engine/settings.ts'
import { ownRecordIdOf, RECORD_KINDS } from '../../../src/model/record.ts'
import { haveEqualDigests } from '../convergence.ts'
import { openFakeNotary } from '../fake-notary.ts'
import type { Host } from '../host.ts'
import { LAN, type NetworkSettings } from '../network.ts'
import type { OpenEngine } from '../seam.ts'
import { Simulation } from '../simulation.ts'
import { Stage } from '../stage.ts'
import { BY_REFERENCE } from '../wires.ts'
import { drawBytes } from '../workload.ts'

/** What is measured, and on what. */
export interface MeasureOptions {
  readonly nodes: number
  readonly seed: number
  readonly openEngine: OpenEngine
  readonly engine?: Partial<EngineSettings>
  readonly network?: Partial<NetworkSettings>
  /** How many hosts have records. */
  readonly owners: number
  readonly recordsEach: number
  readonly valueBytes: number
  /** Progress. */
  say(text: string): void
}

/** A cluster at rest. */
export interface Cluster {
  readonly simulation: Simulation
  readonly stage: Stage
  /** The hosts that have records. */
  readonly owners: readonly Host[]
}

/** So many may join through seeds; more start knowing each other. */
const MOST_JOINING = 200
const STEP_MS = 1000
const SETTLE_MS = 300_000

/** Brings a cluster up and lets it come to rest, without faults of the network. */
export function openCluster(options: MeasureOptions): Cluster {
  const { nodes, seed, openEngine, recordsEach, valueBytes } = options
  const network = { ...LAN, ...options.network }
  const simulation = new Simulation({
    seed,
    engineSettings: { ...ENGINE_DEFAULTS, ...options.engine },
    network: { ...network, lossRate: 0, duplicateRate: 0 },
    openEngine,
    openNotary: openFakeNotary,
    wire: BY_REFERENCE,
  })
  const stage = new Stage(simulation)
  const hosts = stage.addHosts(nodes, 0)
  const owners = hosts.slice(0, options.owners)
  for (const host of owners) {
    for (let count = 0; count < recordsEach; count++)
      giveRecord(simulation, host, { count, valueBytes })
  }
  if (nodes <= MOST_JOINING) stage.joinAll(1000)
  else stage.preload()
  simulation.runFor(5 * STEP_MS)
  while (!haveEqualDigests(hosts) && simulation.nowMs < SETTLE_MS) {
    simulation.runFor(STEP_MS)
    options.say(`${nodes} nodes, ${simulation.nowMs / 1000} s, ${simulation.eventCount} events`)
  }
  if (!haveEqualDigests(hosts)) options.say(`${nodes} nodes do not come to rest`)
  simulation.runFor(5 * STEP_MS)
  simulation.network.settings = network
  return { simulation, stage, owners }
}

function giveRecord(
  { random }: Simulation,
  host: Host,
  { count, valueBytes }: { readonly count: number; readonly valueBytes: number },
): void {
  const record = {
    kind: RECORD_KINDS.backends,
    schema: 1,
    key: `tcp/named:/service-${count}@marathon:80`,
    value: drawBytes(random, valueBytes),
  }
  host.own.set(ownRecordIdOf(record), record)
}
