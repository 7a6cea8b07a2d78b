/** Brings clusters up, and hosts down and up again as daemons and operators do. */
import type { Announcement } from '../../src/gossip/engine/statements.ts'
import type { Endpoint } from '../../src/model/endpoint.ts'
import { ownRecordIdOf } from '../../src/model/record.ts'
import { below, between } from './dice.ts'
import type { Host } from './host.ts'
import type { Simulation } from './simulation.ts'
import { drawRecord } from './workload.ts'

/** The first hosts are those that all others are told of. */
const SEED_COUNT = 3
/** Publication is complete when the agent has answered. */
const INPUTS_MS = 200

/** A cluster under way. */
export class Stage {
  readonly simulation: Simulation

  constructor(simulation: Simulation) {
    this.simulation = simulation
  }

  get seeds(): readonly Endpoint[] {
    return this.simulation.hosts.slice(0, SEED_COUNT).map(({ endpoint }) => endpoint)
  }

  get living(): readonly Host[] {
    return this.simulation.hosts.filter(({ isUp }) => isUp)
  }

  /** Adds hosts with a few records each. */
  addHosts(count: number, recordsEach: number): readonly Host[] {
    const { random } = this.simulation
    return Array.from({ length: count }, () => {
      const host = this.simulation.addHost()
      for (let made = 0; made < recordsEach; made++) {
        const record = drawRecord(random, 8 + below(random, 200))
        host.own.set(ownRecordIdOf(record), record)
      }
      return host
    })
  }

  /** Starts all hosts that are down, at drawn moments within the given time. */
  joinAll(withinMs: number): void {
    const { random, nowMs } = this.simulation
    for (const host of this.simulation.hosts) {
      if (!host.isUp && !host.isGone) this.startAt(host, nowMs + between(random, 0, withinMs))
    }
  }

  /** Starts all hosts as if they had always known each other. */
  preload(): void {
    const members: readonly Announcement[] = this.simulation.hosts.map((host) =>
      this.simulation.announcementOf(host),
    )
    for (const host of this.simulation.hosts) {
      this.simulation.start(host, { members })
      this.#publishLater(host)
    }
  }

  startAt(host: Host, timeMs: number): void {
    this.simulation.at(timeMs, () => this.start(host))
  }

  /** Starts a daemon as systemd would, and lets it publish when its inputs are complete. */
  start(host: Host): void {
    if (host.isUp || host.isGone) return
    this.simulation.start(host, { seeds: this.seeds.filter((seed) => seed !== host.endpoint) })
    this.#publishLater(host)
  }

  #publishLater(host: Host): void {
    const { simulation } = this
    const { life } = host
    const half = [...host.own].slice(0, host.own.size / 2)
    const isSame = () => host.life === life && host.isUp
    simulation.at(simulation.nowMs + simulation.random.next() * INPUTS_MS, () => {
      if (isSame()) simulation.input(host, { kind: 'publish', changes: half, isComplete: false })
    })
    simulation.at(simulation.nowMs + INPUTS_MS, () => {
      if (!isSame()) return
      const gone = half.filter(([id]) => !host.own.has(id)).map(([id]) => [id, undefined] as const)
      simulation.publishAll(host, gone)
    })
  }

  /** Ends a daemon and starts it again later. */
  restart(host: Host, options: { readonly keepsDisk: boolean; readonly afterMs: number }): void {
    this.simulation.crash(host, options)
    this.startAt(host, this.simulation.nowMs + options.afterMs)
  }

  /** Says good-bye and ends; the daemon stays for a moment so that the word gets out. */
  leave(host: Host, lingerMs = 500): void {
    const { life } = host
    this.simulation.input(host, { kind: 'leave' })
    this.simulation.at(this.simulation.nowMs + lingerMs, () => {
      if (host.life === life) this.simulation.crash(host, { keepsDisk: true })
    })
  }
}
