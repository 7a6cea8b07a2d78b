/**
 * Runs unchanged engines under virtual time: a queue of ticks, packets and acts, dice from one
 * seed, no clock. The same seed and the same calls give the same run, event by event.
 *
 * Left out: the handshake by which the transport gets to know a session (one round trip at first
 * contact), and the time that a daemon computes.
 */
import { type Random, seededRandom } from '../../src/base/random.ts'
import type { Effect, EngineInput } from '../../src/gossip/engine/effects.ts'
import type { EngineSettings } from '../../src/gossip/engine/settings.ts'
import type { Announcement, Notary, Statement } from '../../src/gossip/engine/statements.ts'
import type { Endpoint } from '../../src/model/endpoint.ts'
import type { Alterer } from './byzantine.ts'
import { EventQueue } from './event-queue.ts'
import type { Changes, Host } from './host.ts'
import { firstNumberOf, Machines, notaryOf } from './machines.ts'
import { Network, type NetworkSettings } from './network.ts'
import { Post } from './post.ts'
import type { OpenEngine, OpenNotary, SimulatedEngine, Wire } from './seam.ts'
import type { Packet } from './streams.ts'
import { Traffic } from './traffic.ts'

/** Sees every step. */
export interface Watcher {
  /** A daemon starts: its engine exists and has handled nothing yet. */
  onStarted?(host: Host): void
  /** A daemon is gone; its engine is still there to look at. */
  onStopped?(host: Host): void
  /** A host's notary signed something. */
  onSigned?(host: Host, statement: Statement): void
  /** The engine handled something. */
  onHandled?(host: Host, input: EngineInput, effects: readonly Effect[]): void
}

/** What a simulation is made of. */
export interface SimulationOptions {
  readonly seed: number
  readonly engineSettings: EngineSettings
  readonly network: NetworkSettings
  readonly openEngine: OpenEngine
  readonly openNotary: OpenNotary
  readonly wire: Wire
  /** Alters what byzantine hosts send. */
  readonly alterer?: Alterer
}

/** How a daemon starts. */
export interface StartOptions {
  readonly seeds?: readonly Endpoint[]
  /** Members known beforehand; otherwise those on the disk. */
  readonly members?: readonly Announcement[]
}

type Occurrence =
  | { readonly kind: 'tick'; readonly host: Host }
  | { readonly kind: 'arrival'; readonly packet: Packet }
  | { readonly kind: 'act'; readonly act: () => void }

/** A cluster and its network. */
export class Simulation {
  readonly network: Network
  readonly traffic: Traffic
  readonly watchers: Watcher[] = []
  readonly random: Random
  readonly options: SimulationOptions
  readonly #queue = new EventQueue<Occurrence>()
  readonly #machines = new Machines()
  readonly #post: Post
  #nowMs = 0
  #eventCount = 0

  constructor(options: SimulationOptions) {
    this.options = options
    this.random = seededRandom(options.seed)
    this.network = new Network(options.network, this.random)
    this.traffic = new Traffic(options.wire)
    this.#post = new Post({
      network: this.network,
      traffic: this.traffic,
      wire: options.wire,
      alterer: options.alterer,
      nowMs: () => this.#nowMs,
      schedule: (timeMs, packet) => this.#queue.push(timeMs, { kind: 'arrival', packet }),
      deliver: (host, input) => this.input(host, input),
      at: (timeMs, act) => this.at(timeMs, act),
    })
  }

  get hosts(): readonly Host[] {
    return this.#machines.hosts
  }

  get nowMs(): number {
    return this.#nowMs
  }

  get eventCount(): number {
    return this.#eventCount
  }

  /** Adds a machine without a running daemon. */
  addHost(): Host {
    return this.#machines.add()
  }

  /** Gives a machine another address; takes effect for its daemon at the next start. */
  move(host: Host): void {
    this.#machines.move(host)
  }

  #notaryOf(host: Host): Notary {
    return notaryOf(host, this.options.openNotary, this.options.seed)
  }

  /** What the host will announce when it starts now. */
  announcementOf(host: Host): Announcement {
    const notary = this.#notaryOf(host)
    return this.#listenTo(host, notary).sign<Announcement>({
      kind: 'announcement',
      node: notary.node,
      publicKey: notary.publicKey,
      endpoint: host.endpoint,
      incarnation: firstNumberOf(host, 'incarnation', this.#nowMs),
      isLeaving: false,
      certificate: notary.certificate,
    })
  }

  /** The notary, telling the watchers what it signs. */
  #listenTo(host: Host, notary: Notary): Notary {
    return {
      ...notary,
      sign: (statement) => {
        const signed = notary.sign(statement)
        for (const watcher of this.watchers) watcher.onSigned?.(host, signed as Statement)
        return signed
      },
    }
  }

  /** Starts the daemon. */
  start(host: Host, { seeds = [], members = host.disk?.members ?? [] }: StartOptions): void {
    if (host.isUp) return
    const notary = this.#notaryOf(host)
    host.notary = notary
    host.life++
    host.startedMs = this.#nowMs
    host.clockOffsetMs = Math.floor(this.random.next() * 1e6)
    host.isPublished = false
    host.pausedUntilMs = 0
    host.engine = this.options.openEngine({
      notary: this.#listenTo(host, notary),
      endpoint: host.endpoint,
      incarnation: firstNumberOf(host, 'incarnation', this.#nowMs),
      firstVersion: firstNumberOf(host, 'version', this.#nowMs),
      seed: Math.floor(this.random.next() * 2 ** 32),
      settings: this.options.engineSettings,
    })
    for (const watcher of this.watchers) watcher.onStarted?.(host)
    this.#handle(host, host.engine, { kind: 'start', seeds, members })
  }

  /** Ends the daemon without a word. Without its disk it comes back as another node. */
  crash(host: Host, { keepsDisk }: { readonly keepsDisk: boolean }): void {
    const { engine, notary } = host
    if (engine === undefined || notary === undefined) return
    for (const watcher of this.watchers) watcher.onStopped?.(host)
    host.disk = keepsDisk
      ? {
          notary,
          incarnation: engine.incarnation,
          version: engine.version,
          members: engine.announcements(),
        }
      : undefined
    if (!keepsDisk) host.notary = undefined
    host.engine = undefined
    host.inbox = []
    host.inboxDatagrams = 0
    host.queuedDueMs = Number.POSITIVE_INFINITY
  }

  /** Lets the daemon stand still: it answers nothing, and finds out by a late tick. */
  pause(host: Host, durationMs: number): void {
    if (!host.isUp) return
    const { life } = host
    host.pausedUntilMs = Math.max(host.pausedUntilMs, this.#nowMs + durationMs)
    this.at(host.pausedUntilMs, () => {
      if (host.life === life && host.pausedUntilMs <= this.#nowMs) this.#resume(host)
    })
  }

  #resume(host: Host): void {
    const { inbox } = host
    host.inbox = []
    host.inboxDatagrams = 0
    host.queuedDueMs = Number.POSITIVE_INFINITY
    if (host.engine === undefined) return
    if (this.#localDueMs(host, host.engine) <= this.#nowMs) {
      this.#handle(host, host.engine, { kind: 'tick' })
    }
    for (const input of inbox) this.input(host, input)
    if (host.engine !== undefined) this.#scheduleTick(host, host.engine)
  }

  isPaused(host: Host): boolean {
    return host.pausedUntilMs > this.#nowMs
  }

  /** Publishes changes of own records; they are remembered over restarts of the daemon. */
  publish(host: Host, changes: Changes): void {
    for (const [id, record] of changes) {
      if (record === undefined) host.own.delete(id)
      else host.own.set(id, record)
    }
    if (host.isPublished) this.input(host, { kind: 'publish', changes, isComplete: true })
  }

  /** Publishes everything that the host has, as a daemon does once its inputs are complete. */
  publishAll(host: Host, gone: Changes = []): void {
    if (!host.isUp) return
    host.isPublished = true
    this.input(host, { kind: 'publish', changes: [...host.own, ...gone], isComplete: true })
  }

  /** Does something later. */
  at(timeMs: number, act: () => void): void {
    this.#queue.push(Math.max(timeMs, this.#nowMs), { kind: 'act', act })
  }

  /** Runs until this time. */
  runUntil(endMs: number): void {
    const queue = this.#queue
    while (queue.nextMs <= endMs) {
      this.#nowMs = queue.nextMs
      this.#eventCount++
      this.#take(queue.pop() as Occurrence)
    }
    this.#nowMs = endMs
  }

  runFor(durationMs: number): void {
    this.runUntil(this.#nowMs + durationMs)
  }

  #take(occurrence: Occurrence): void {
    switch (occurrence.kind) {
      case 'tick':
        this.#tick(occurrence.host)
        return
      case 'arrival':
        this.#post.arrive(occurrence.packet)
        return
      case 'act':
        occurrence.act()
    }
  }

  #tick(host: Host): void {
    if (host.queuedTickMs !== this.#nowMs || host.engine === undefined || this.isPaused(host))
      return
    host.queuedDueMs = Number.POSITIVE_INFINITY
    if (this.#localDueMs(host, host.engine) > this.#nowMs) this.#scheduleTick(host, host.engine)
    else this.#handle(host, host.engine, { kind: 'tick' })
  }

  #localDueMs(host: Host, engine: SimulatedEngine): number {
    return engine.nextDueMs - host.clockOffsetMs
  }

  #scheduleTick(host: Host, engine: SimulatedEngine): void {
    const dueMs = this.#localDueMs(host, engine)
    if (dueMs >= host.queuedDueMs) return
    host.queuedDueMs = dueMs
    host.queuedTickMs = Math.max(dueMs, this.#nowMs) + this.network.latenessMs() + 0.001
    this.#queue.push(host.queuedTickMs, { kind: 'tick', host })
  }

  /** Gives a daemon something to handle; if it stands still, later. */
  input(host: Host, input: EngineInput): void {
    if (host.engine === undefined) return
    if (this.isPaused(host)) host.inbox.push(input)
    else this.#handle(host, host.engine, input)
  }

  #handle(host: Host, engine: SimulatedEngine, input: EngineInput): void {
    const effects = engine.handle(input, this.#nowMs + host.clockOffsetMs)
    for (const watcher of this.watchers) watcher.onHandled?.(host, input, effects)
    for (const effect of effects) {
      if (effect.kind === 'send') this.#post.send(host, this.#machines.at(effect.to), effect)
    }
    this.#scheduleTick(host, engine)
  }
}
