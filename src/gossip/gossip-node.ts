/** One node at gossip: identity, engine and transport, and the tables that they fill. */

import type { Registry } from 'prom-client'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { Scope } from '../base/scope.ts'
import type { Table } from '../base/table.ts'
import type { Endpoint } from '../model/endpoint.ts'
import type { Ip } from '../model/ip.ts'
import type { Member } from '../model/member.ts'
import type { NodeId } from '../model/node-id.ts'
import type { ClusterRecord, ClusterRecordId, OwnRecord, OwnRecordId } from '../model/record.ts'
import { ClusterTables } from './cluster-tables.ts'
import type { GossipOptions } from './config.ts'
import type { Effect, EngineEvent } from './engine/effects.ts'
import { Engine } from './engine/engine.ts'
import { ENGINE_DEFAULTS } from './engine/settings.ts'
import type { Notary } from './engine/statements.ts'
import { EngineRunner } from './engine-runner.ts'
import { logEvent } from './event-log.ts'
import { type Forgetting, forgetMember } from './forget.ts'
import { MembersByAddress } from './members-by-address.ts'
import { type GossipMetrics, gossipMetrics } from './metrics.ts'
import { openStateDirectory, type StateDirectory } from './state/state-directory.ts'
import { followKeyFile } from './transport/key-file.ts'
import type { KeyRing } from './transport/key-ring.ts'
import { SEAL_BYTES } from './transport/seal.ts'
import { openTransport, type Transport } from './transport/transport.ts'
import { readCredentials } from './trust/credentials.ts'
import { openNotary } from './wire/notary.ts'

/** What a {@link GossipNode} works with. */
export interface GossipNodeParts {
  readonly options: GossipOptions
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly registry: Registry
  readonly scope: Scope
}

/** The engine of a node that has begun, and what it speaks through. */
interface Running {
  readonly engine: Engine
  readonly runner: EngineRunner
  readonly transport: Transport | undefined
}

/** What a node has before it begins. */
interface Papers {
  readonly state: StateDirectory
  readonly notary: Notary
  readonly keys: KeyRing | undefined
}

const KEEP_MEMBERS_MS = 10_000
/** Flushing takes 10 ms a hop; after so long everybody heard it or will by anti-entropy. */
const LEAVE_MS = 1000

/** One node; silent until {@link GossipNode.begin}. */
export class GossipNode {
  readonly self: NodeId
  readonly clusterId: string | undefined
  readonly #parts: GossipNodeParts
  readonly #papers: Papers
  readonly #metrics: GossipMetrics
  readonly #tables: ClusterTables
  readonly #sources: Table<OwnRecordId, OwnRecord>[] = []
  readonly #byAddress = new MembersByAddress()
  readonly #hintListeners = new Set<() => void>()
  readonly #goneListeners = new Set<(agent: string, from: NodeId) => void>()
  #running: Running | undefined

  private constructor(parts: GossipNodeParts, papers: Papers) {
    this.self = papers.notary.node
    this.clusterId = parts.options.clusterId
    this.#parts = parts
    this.#papers = papers
    this.#tables = new ClusterTables(parts.scope)
    this.#metrics = gossipMetrics(parts.registry)
    this.#metrics.watch({
      self: this.self,
      members: () => this.currentMembers(),
      records: () => this.records.snapshot.rows.values(),
      isIsolated: () => this.isIsolated(),
    })
  }

  /** Reads the node's identity, keys and certificate. */
  static async open(parts: GossipNodeParts): Promise<GossipNode> {
    const { options, clock, log, scope } = parts
    const { clusterId, keyFile, stateDirectory: path } = options
    const state = await openStateDirectory({ path, clusterId, log })
    const keys =
      keyFile === undefined ? undefined : await followKeyFile({ path: keyFile, clock, log, scope })
    const notary = openNotary({
      privateKey: state.privateKeyPem,
      clusterId: clusterId ?? '',
      ...(await readCredentials(options)),
    })
    return new GossipNode(parts, { state, notary, keys })
  }

  get members(): Table<NodeId, Member> {
    return this.#tables.members
  }

  get records(): Table<ClusterRecordId, ClusterRecord> {
    return this.#tables.records
  }

  currentMembers(): readonly Member[] {
    return [...(this.#running?.engine.members() ?? [])]
  }

  endpoint(): Endpoint | undefined {
    return this.#running?.transport?.endpoint
  }

  isIsolated(): boolean {
    return this.#running?.engine.isIsolated ?? false
  }

  publish(source: Table<OwnRecordId, OwnRecord>): void {
    this.#sources.push(source)
    if (this.#running !== undefined) this.#follow(source, this.#running.runner)
  }

  report(node: NodeId): void {
    this.#running?.runner.handle({ kind: 'report', node })
  }

  hint(agentAddress: Ip): void {
    for (const node of this.#byAddress.at(agentAddress)) {
      this.#running?.runner.handle({ kind: 'hint', node })
    }
  }

  onHint(listener: () => void): () => void {
    this.#hintListeners.add(listener)
    return () => void this.#hintListeners.delete(listener)
  }

  agentGone(agentAddress: Ip, agent: string): void {
    for (const node of [...this.#byAddress.at(agentAddress)]) {
      this.#running?.runner.handle({ kind: 'agent-gone', node, agent })
      this.#running?.runner.handle({ kind: 'forget', node })
    }
  }

  onAgentGone(listener: (agent: string, from: NodeId) => void): () => void {
    this.#goneListeners.add(listener)
    return () => void this.#goneListeners.delete(listener)
  }

  forget(node: NodeId): Forgetting {
    return forgetMember(this.#running, node)
  }

  async leave(): Promise<void> {
    const { clock, scope } = this.#parts
    this.#running?.runner.handle({ kind: 'leave' })
    if (this.#running?.transport !== undefined)
      await clock.sleep(LEAVE_MS, { signal: scope.signal })
  }

  /** Begins to gossip from this address. @throws NavstarError `GOSSIP_BIND_FAILED` */
  async begin(address: Ip): Promise<void> {
    const { options, scope, log } = this.#parts
    const { members } = this.#papers.state
    const known = await members.read()
    const transport = await this.#openTransport(address)
    const endpoint = { address, port: transport?.endpoint.port ?? options.listen.port }
    const engine = this.#openEngine(endpoint)
    const runner = new EngineRunner({
      engine,
      clock: this.#parts.clock,
      onHandled: () => this.#papers.state.counters.cover(engine),
      perform: (effect) => this.#perform(effect),
    })
    this.#running = { engine, runner, transport }
    const seeds = options.seeds.filter((seed) => !isSame(seed, endpoint))
    runner.handle({ kind: 'start', seeds, members: known })
    for (const source of this.#sources) this.#follow(source, runner)
    if (transport === undefined) this.#tables.noteComplete()
    scope.run((signal) => runner.run(signal))
    scope.run((signal) => this.#keepMembers(engine, signal))
    scope.defer(() => members.write(engine.announcements()))
    log.info('gossip has begun', { self: this.self, clusterId: this.clusterId, ...endpoint })
  }

  async #openTransport(address: Ip): Promise<Transport | undefined> {
    const { options, clock, random, log, scope } = this.#parts
    const { keys } = this.#papers
    const metrics = this.#metrics
    const { clusterId, listen, datagramBytes } = options
    if (clusterId === undefined || keys === undefined) return undefined
    const transport = await openTransport({
      listen: { address: listen.address ?? address, port: listen.port },
      node: this.self,
      clusterId,
      keys,
      clock,
      random,
      log,
      datagramBytes,
      onReceived: ({ from, endpoint, messages }) =>
        this.#running?.runner.handle({ kind: 'received', from, endpoint, messages }),
      onUnreachable: (to) => this.#running?.runner.handle({ kind: 'unreachable', to }),
      events: {
        rejected: metrics.onPacketRejected,
        dropped: metrics.onDropped,
        sent: (kind, channel, bytes) => metrics.onSent({ kind, channel, bytes }),
        received: (kind, channel, bytes) => metrics.onReceived({ kind, channel, bytes }),
      },
    })
    return scope.own(transport)
  }

  #openEngine(endpoint: Endpoint): Engine {
    const { options, clock, random } = this.#parts
    const { state, notary } = this.#papers
    const { incarnation, version } = state.counters.first(clock.wallMs())
    return new Engine({
      notary,
      endpoint,
      incarnation,
      firstVersion: version,
      seed: Math.floor(random.next() * 2 ** 32),
      settings: {
        ...ENGINE_DEFAULTS,
        datagramBytes: options.datagramBytes - SEAL_BYTES,
      },
    })
  }

  #perform(effect: Effect): void {
    if (effect.kind === 'send') {
      this.#running?.transport?.send(effect.to, effect.channel, effect.messages)
    } else if (effect.kind === 'records') this.#tables.noteRecords(effect.changes)
    else if (effect.kind === 'members') {
      this.#byAddress.note(effect.changes)
      this.#tables.noteMembers(effect.changes)
    } else if (effect.kind === 'complete') this.#tables.noteComplete()
    else this.#noteEvent(effect.event)
  }

  #noteEvent(event: EngineEvent): void {
    if (event.kind === 'hinted') for (const listener of this.#hintListeners) listener()
    if (event.kind === 'agent-gone') {
      for (const listener of this.#goneListeners) listener(event.agent, event.from)
    }
    this.#metrics.onEvent(event)
    logEvent(this.#parts.log, event)
  }

  #follow(source: Table<OwnRecordId, OwnRecord>, runner: EngineRunner): void {
    const { rows, isComplete } = source.snapshot
    runner.handle({ kind: 'publish', changes: [...rows], isComplete })
    const stop = source.onChange(({ snapshot, keys }) => {
      const changes = [...keys].map((key) => [key, snapshot.rows.get(key)] as const)
      runner.handle({ kind: 'publish', changes, isComplete: snapshot.isComplete })
    })
    this.#parts.scope.defer(stop)
  }

  async #keepMembers(engine: Engine, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#parts.clock.sleep(KEEP_MEMBERS_MS, { signal })
      await this.#papers.state.members.write(engine.announcements())
    }
  }
}

function isSame(one: Endpoint, other: Endpoint): boolean {
  return one.address === other.address && one.port === other.port
}
