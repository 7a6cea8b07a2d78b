/** An engine without a protocol: notes what it is given and sends what a test wants sent. */
import type { Channel, Effect, EngineInput } from '../../src/gossip/engine/effects.ts'
import { ENGINE_DEFAULTS } from '../../src/gossip/engine/settings.ts'
import { openFakeNotary } from './fake-notary.ts'
import type { Host } from './host.ts'
import { LAN, type NetworkSettings } from './network.ts'
import type { SimulatedEngine } from './seam.ts'
import { Simulation } from './simulation.ts'
import { BY_REFERENCE } from './wires.ts'

/** Something that an engine was given. */
export interface Noted {
  readonly input: EngineInput
  readonly nowMs: number
}

/** Notes everything; ticks every `everyMs`. */
export class Recorder implements SimulatedEngine {
  readonly noted: Noted[] = []
  nextDueMs: number = Number.POSITIVE_INFINITY
  readonly incarnation = 1
  readonly version = 0
  readonly isIsolated = false
  readonly digest = { high: 0, low: 0 }
  readonly #waiting: Effect[] = []

  /** Sends pings with these sequences at the next input. */
  send(to: Host, channel: Channel, ...sequences: readonly number[]): void {
    const { digest } = this
    this.#waiting.push(
      ...sequences.map(
        (sequence): Effect => ({
          kind: 'send',
          to: { endpoint: to.endpoint },
          channel,
          messages: [{ kind: 'ping', sequence, digest }],
        }),
      ),
    )
  }

  handle(input: EngineInput, nowMs: number): readonly Effect[] {
    this.noted.push({ input, nowMs })
    if (input.kind === 'tick') this.nextDueMs = Number.POSITIVE_INFINITY
    return this.#waiting.splice(0)
  }

  /** The sequences of the pings that came, in order. */
  get heard(): readonly number[] {
    return this.noted.flatMap(({ input }) =>
      input.kind === 'received'
        ? input.messages.map((message) => (message.kind === 'ping' ? message.sequence : -1))
        : [],
    )
  }

  members(): readonly [] {
    return []
  }

  member(): undefined {
    return undefined
  }

  records(): readonly [] {
    return []
  }

  announcements(): readonly [] {
    return []
  }
}

/** Two hosts that note what they are given. */
export function openPair(network: Partial<NetworkSettings> = {}): {
  simulation: Simulation
  hosts: readonly [Host, Host]
  engines: readonly [Recorder, Recorder]
} {
  const engines = [new Recorder(), new Recorder()] as const
  let opened = 0
  const simulation = new Simulation({
    seed: 1,
    engineSettings: ENGINE_DEFAULTS,
    network: { ...LAN, ...network },
    openEngine: () => engines[opened++ % 2 === 0 ? 0 : 1],
    openNotary: openFakeNotary,
    wire: BY_REFERENCE,
  })
  const hosts = [simulation.addHost(), simulation.addHost()] as const
  for (const host of hosts) simulation.start(host, {})
  return { simulation, hosts, engines }
}

/** Has a host's engine send what it has waiting. */
export function nudge(simulation: Simulation, host: Host): void {
  simulation.input(host, { kind: 'publish', changes: [], isComplete: false })
}
