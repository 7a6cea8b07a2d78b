/** Nodes of a cluster without gossip: what one hears of another is what a test hands over. */
import { Scope } from '../../../src/base/scope.ts'
import { Table } from '../../../src/base/table.ts'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import { AddressBook } from '../../../src/l4lb/addresses/address-book.ts'
import type { VipRange } from '../../../src/l4lb/addresses/address-space.ts'
import type { AddressMove, KeptClaims } from '../../../src/l4lb/addresses/own-claims.ts'
import { ClusterBackends, type GossipView } from '../../../src/l4lb/cluster/cluster-backends.ts'
import { Publisher } from '../../../src/l4lb/cluster/publisher.ts'
import { DesiredServices } from '../../../src/l4lb/services/desired-services.ts'
import type { BackendRecord, BackendRecordKey } from '../../../src/model/backend-record.ts'
import type { Member, MemberState } from '../../../src/model/member.ts'
import type { NodeId } from '../../../src/model/node-id.ts'
import {
  type ClusterRecord,
  type ClusterRecordId,
  clusterRecordIdOf,
  type OwnRecord,
  type OwnRecordId,
} from '../../../src/model/record.ts'
import { ip, nodeId, port } from '../records.ts'

/** Gossip as a test plays it. */
export class PlayedGossip implements GossipView {
  readonly self: NodeId
  readonly records: Table<ClusterRecordId, ClusterRecord> = new Table()
  readonly members: Table<NodeId, Member> = new Table()
  isCutOff = false

  constructor(self: NodeId) {
    this.self = self
    this.setState(self, 'alive')
  }

  isIsolated(): boolean {
    return this.isCutOff
  }

  /** How a node looks from now on; undefined: it is forgotten. */
  setState(id: NodeId, state: MemberState | undefined): void {
    const endpoint = { address: ip('10.0.0.1'), port: port(1) }
    const versions = { incarnation: 1, heldVersion: 1, knownVersion: 1, recordCount: 1 }
    const isSelf = id === this.self
    const member = state && { id, endpoint, state, isSelf, ...versions }
    this.members.update([[id, member]])
  }

  /** Hears all records of a node, in place of what was heard before. */
  hear(node: NodeId, records: ReadonlyMap<OwnRecordId, OwnRecord>): void {
    if (!this.members.snapshot.rows.has(node)) this.setState(node, 'alive')
    const changes = new Map<ClusterRecordId, ClusterRecord | undefined>()
    for (const [id, record] of this.records.snapshot.rows) {
      if (record.node === node) changes.set(id, undefined)
    }
    for (const [id, record] of records) {
      const clusterId = clusterRecordIdOf(node, id)
      const known = this.records.snapshot.rows.get(clusterId)
      const isKnown = known?.value === record.value
      changes.set(clusterId, isKnown ? known : { ...record, node, version: 1 })
    }
    this.records.update(changes)
  }
}

/** What a node is made with. */
export interface NodeParts {
  readonly number: number
  readonly ranges: readonly VipRange[]
  readonly clock?: VirtualClock
  readonly coolDownMs?: number
  /** Claims on its disk. */
  readonly kept?: KeptClaims
}

/** A node with everything of l4lb above the data plane. */
export class PlayedNode {
  readonly id: NodeId
  readonly own: Table<BackendRecordKey, BackendRecord> = new Table()
  readonly gossip: PlayedGossip
  readonly addresses: AddressBook
  readonly cluster: ClusterBackends
  readonly moves: AddressMove[] = []
  readonly problems: string[] = []
  readonly #scope = new Scope((error) => {
    throw error
  })
  publisher: Publisher | undefined
  kept: KeptClaims

  private constructor({ number, ranges, kept }: NodeParts) {
    this.id = nodeId(number)
    this.kept = kept ?? new Map()
    this.gossip = new PlayedGossip(this.id)
    this.addresses = new AddressBook(ranges)
    const { own, gossip, addresses } = this
    this.cluster = new ClusterBackends({
      own,
      gossip,
      addresses,
      events: {
        onProblem: ({ message }) => this.problems.push(message),
        onIsolation: (isIsolated) => this.problems.push(isIsolated ? 'isolated' : 'heard again'),
      },
    })
    const desired = new DesiredServices(addresses)
    this.cluster.records.onChange(({ snapshot, keys }) => {
      const changes = [...keys].map((key) => [key, snapshot.rows.get(key)] as const)
      desired.update(changes, { nodeIp: undefined })
    })
  }

  /** Starts a node. */
  static async start(parts: NodeParts): Promise<PlayedNode> {
    const node = new PlayedNode(parts)
    const { own, gossip, addresses } = node
    node.publisher = await Publisher.open({
      own,
      gossip,
      addresses,
      file: {
        read: async () => ({ claims: node.kept }),
        write: async (claims) => {
          node.kept = new Map(claims)
        },
      },
      coolDownMs: parts.coolDownMs ?? 60_000,
      clock: parts.clock ?? new VirtualClock(),
      events: {
        onMoved: (move) => node.moves.push(move),
        onFailure: ({ message }) => node.problems.push(message),
      },
    })
    const { publisher } = node
    node.#scope.own(publisher)
    node.#scope.run((signal) => publisher.run(signal))
    node.#scope.run((signal) => publisher.watchCoolDowns(signal))
    node.#scope.run((signal) => publisher.keepClaims(signal))
    return node
  }

  /** What it tells. */
  get told(): ReadonlyMap<OwnRecordId, OwnRecord> {
    return new Map(this.publisher?.records.snapshot.rows)
  }

  /** Backends come, or go. */
  set(backend: BackendRecord, isPresent: boolean): void {
    this.own.update([[backend.key, isPresent ? backend : undefined]])
  }

  /** Everything that this node has is known, and everything of the others. */
  complete(): void {
    this.own.update([], true)
    this.gossip.records.update([], true)
  }

  /** Ends it; what it keeps is on its disk. */
  close(): Promise<void> {
    return this.#scope.close()
  }
}

/** Lets everything happen that waits for nothing. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve))
}
