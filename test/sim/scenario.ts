/** What a scenario is. */
import type { EngineSettings } from '../../src/gossip/engine/settings.ts'
import type { Checks } from './checks.ts'
import type { Host } from './host.ts'
import type { NetworkSettings } from './network.ts'
import type { Simulation } from './simulation.ts'
import type { Stage } from './stage.ts'

/** What a scenario plays with. */
export interface Scene {
  readonly stage: Stage
  readonly simulation: Simulation
  readonly checks: Checks
  readonly nodes: number
  /** Something else that all must agree on in the end; gives what they do not agree on. */
  alsoAgree(check: (living: readonly Host[]) => readonly string[]): void
  /** A line for the trace. */
  say(text: string): void
}

/** A course of events after which all must agree. */
export interface Scenario {
  readonly summary: string
  readonly engine?: Partial<EngineSettings>
  readonly network?: Partial<NetworkSettings>
  /** How long agreement may take after the end of {@link play}. */
  readonly settleMs: number
  /** Runs the simulation through everything that goes wrong. */
  play(scene: Scene): void
}
