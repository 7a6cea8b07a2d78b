/** Runs one scenario with one seed and says whether everything held. */
import { seededRandom } from '../../src/base/random.ts'
import { ENGINE_DEFAULTS } from '../../src/gossip/engine/settings.ts'
import { Alterer } from './byzantine.ts'
import { Checks } from './checks.ts'
import { disagreements, haveEqualDigests } from './convergence.ts'
import type { Host } from './host.ts'
import { LAN } from './network.ts'
import type { Scenario } from './scenario.ts'
import type { OpenEngine, OpenNotary, Wire } from './seam.ts'
import { Simulation } from './simulation.ts'
import { Stage } from './stage.ts'
import { Trace } from './trace.ts'
import { Violation } from './violation.ts'

/** A scenario, a size and a seed. */
export interface RunOptions {
  readonly scenario: Scenario
  readonly nodes: number
  readonly seed: number
  readonly openEngine: OpenEngine
  readonly openNotary: OpenNotary
  readonly wire: Wire
  readonly trace?: (line: string) => void
}

/** How it went. */
export interface RunResult {
  /** What did not hold; undefined: all did. */
  readonly failure?: string
  /** Virtual time from the last fault until all agreed. */
  readonly convergedAfterMs?: number
  readonly virtualMs: number
  readonly eventCount: number
  readonly checks: Checks
}

/** How often agreement is looked for after the last fault. */
const LOOK_MS = 250

/** Runs it. A {@link Violation} becomes a result; anything else that is thrown is the engine's. */
export function runScenario(options: RunOptions): RunResult {
  const { scenario, seed, nodes } = options
  const simulation = new Simulation({
    seed,
    engineSettings: { ...ENGINE_DEFAULTS, ...scenario.engine },
    network: { ...LAN, ...scenario.network },
    openEngine: options.openEngine,
    openNotary: options.openNotary,
    wire: options.wire,
    alterer: new Alterer(seededRandom(seed ^ 0x5eed)),
  })
  const checks = new Checks(simulation)
  simulation.watchers.push(checks)
  const nameOf = checks.nameOf.bind(checks)
  const trace = options.trace && new Trace(simulation, { nameOf, print: options.trace })
  if (trace !== undefined) simulation.watchers.push(trace)
  const outcome = attempt(() => {
    const stage = new Stage(simulation)
    const say = (text: string): void => trace?.say(`# ${text}`)
    const others: OtherCheck[] = []
    const alsoAgree = (check: OtherCheck) => others.push(check)
    scenario.play({ stage, simulation, checks, nodes, alsoAgree, say })
    say('quiet')
    const compare = (limit: number): readonly string[] => {
      const living = stage.living
      const lines = disagreements(living, checks, limit)
      return [...lines, ...others.flatMap((check) => check(living))].slice(0, limit)
    }
    return settle(simulation, compare, scenario.settleMs)
  })
  return {
    ...outcome,
    virtualMs: simulation.nowMs,
    eventCount: simulation.eventCount,
    checks,
  }
}

type Outcome = { readonly failure: string } | { readonly convergedAfterMs: number }

function attempt(run: () => Outcome): Outcome {
  try {
    return run()
  } catch (error) {
    if (error instanceof Violation) return { failure: error.message }
    return { failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

type OtherCheck = (living: readonly Host[]) => readonly string[]

/** Waits until all agree, at most so long. */
function settle(
  simulation: Simulation,
  compare: (limit: number) => readonly string[],
  settleMs: number,
): Outcome {
  const startMs = simulation.nowMs
  while (simulation.nowMs - startMs < settleMs) {
    simulation.runFor(LOOK_MS)
    if (!haveEqualDigests(simulation.hosts.filter(({ isUp }) => isUp))) continue
    if (compare(1).length === 0) return { convergedAfterMs: simulation.nowMs - startMs }
  }
  return { failure: `convergence: not within ${settleMs} ms:\n  ${compare(10).join('\n  ')}` }
}
