/** Gossip: the only file of this capability that others import, beside config and metrics. */

import type { Registry } from 'prom-client'
import { type BackoffPolicy, backoffMs } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import { NavstarError } from '../base/error.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { Scope } from '../base/scope.ts'
import type { Table } from '../base/table.ts'
import type { Endpoint } from '../model/endpoint.ts'
import { type Ip, parseIp } from '../model/ip.ts'
import type { Member } from '../model/member.ts'
import type { NodeId } from '../model/node-id.ts'
import type { ClusterRecord, ClusterRecordId, OwnRecord, OwnRecordId } from '../model/record.ts'
import type { GossipOptions } from './config.ts'
import type { Forgetting } from './forget.ts'
import { GossipNode } from './gossip-node.ts'
import {
  type CertifyRequest,
  certify as certifyNode,
  type NodeCredentials,
  nodeIdIn as readNodeId,
} from './trust/certify.ts'
import {
  changeKeys as changeKeyFile,
  type KeyChange,
  type KeyIds,
  readKeyIds as readIds,
} from './trust/key-changes.ts'

export type { Forgetting } from './forget.ts'
export type { NodeCredentials } from './trust/certify.ts'
export type { KeyChange, KeyIds } from './trust/key-changes.ts'

/** What {@link startGossip} works with. */
export interface GossipParts {
  readonly options: GossipOptions
  /** This node's address, or a way to ask for it while it is not known yet. */
  readonly address: Ip | (() => Ip | undefined)
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly registry: Registry
  /** Ends the gossip; other members then take this node for silent, see {@link Gossip.leave}. */
  readonly scope: Scope
}

/** The running capability. */
export interface Gossip {
  readonly self: NodeId
  /** Undefined: this node stands alone. */
  readonly clusterId: string | undefined
  /** Every node of the cluster as this one sees it, this one included. */
  readonly members: Table<NodeId, Member>
  /** The same as of now: round-trip times in the table are from when something else changed. */
  currentMembers(): readonly Member[]
  /** The records of all nodes; complete after the first anti-entropy, or when there is nobody. */
  readonly records: Table<ClusterRecordId, ClusterRecord>
  /** Where it listens; undefined until it does, or when the node stands alone. */
  endpoint(): Endpoint | undefined
  /** Everyone else looks doubted or dead: this node is the one that is cut off. */
  isIsolated(): boolean
  /** States these records as this node's, and follows them from now on. */
  publish(source: Table<OwnRecordId, OwnRecord>): void
  /** The data path saw the node fail: it is probed at once. */
  report(node: NodeId): void
  /** Something of the tasks at this address changed, a master says: tells the living member there. */
  hint(agentAddress: Ip): void
  /** Another member says that something of this node's tasks changed. @returns a function that ends it */
  onHint(listener: () => void): () => void
  /**
   * Mesos' agent at this address is gone for good, a master says. A living member there is told;
   * others are forgotten on all nodes, as by {@link Gossip.forget}.
   *
   * @param agent Mesos' id of it
   */
  agentGone(agentAddress: Ip, agent: string): void
  /** Another member says that an agent is gone, which may be this node's. @returns a function that ends it */
  onAgentGone(listener: AgentGoneListener): () => void
  /**
   * Lets all nodes forget a member that does not come back, instead of keeping it for 24 h. One that
   * is only doubted is forgotten once it is dead, and stays when it speaks up before.
   *
   * @throws NavstarError `GOSSIP_MEMBER_UNKNOWN`, `GOSSIP_MEMBER_ALIVE`
   */
  forget(node: NodeId): Forgetting
  /** Tells all that this node goes for good; ends when they had time to hear it. */
  leave(): Promise<void>
}

/** Hears of an agent by Mesos' id of it, and from whom. */
export type AgentGoneListener = (agent: string, from: NodeId) => void

const ADDRESS_POLL_MS = 100
const BIND_BACKOFF: BackoffPolicy = { baseMs: 500, maxMs: 30_000 }

/**
 * Starts to gossip. With an address it has begun when this returns; with a way to ask for one, it
 * begins when that answers, and a port that cannot be bound is tried again.
 *
 * @throws NavstarError `GOSSIP_STATE_UNUSABLE`, `CONFIG_INVALID` when key or certificate are none,
 * `GOSSIP_BIND_FAILED` with an address
 */
export async function startGossip(parts: GossipParts): Promise<Gossip> {
  const { options, address, scope } = parts
  const node = await GossipNode.open({ ...parts, log: parts.log.child('gossip') })
  const own = ownAddress(options, address)
  if (typeof own === 'function') scope.run((signal) => beginLate({ ...parts, node, own }, signal))
  else await node.begin(own)
  return node
}

/** The address that others reach this node at: where it listens counts most. */
function ownAddress(
  { clusterId, listen }: GossipOptions,
  address: GossipParts['address'],
): GossipParts['address'] {
  const listening =
    listen.address === undefined || UNSPECIFIED.includes(listen.address)
      ? undefined
      : listen.address
  if (typeof address !== 'function') return listening ?? address
  if (clusterId === undefined) return listening ?? address() ?? LOOPBACK
  return () => listening ?? address()
}

const UNSPECIFIED: readonly string[] = ['0.0.0.0', '::']
const LOOPBACK: Ip = parseIp('127.0.0.1') as Ip

async function beginLate(
  { node, own, clock, random, log }: GossipParts & { node: GossipNode; own: () => Ip | undefined },
  signal: AbortSignal,
): Promise<void> {
  for (let failures = 0; ; ) {
    const address = own()
    if (address === undefined) {
      await clock.sleep(ADDRESS_POLL_MS, { signal })
      continue
    }
    try {
      return await node.begin(address)
    } catch (error) {
      if (!(error instanceof NavstarError) || error.code !== 'GOSSIP_BIND_FAILED') throw error
      log.child('gossip').warn('cannot join the cluster yet, will retry', { error })
      await clock.sleep(backoffMs(BIND_BACKOFF, failures++, random), { signal })
    }
  }
}

/** The ids of the keys in a key file. @throws NavstarError `GOSSIP_KEYS_INVALID` */
export function readKeyIds(path: string): Promise<KeyIds> {
  return readIds(path)
}

/** Changes a key file; running daemons follow. @throws NavstarError `GOSSIP_KEYS_INVALID` */
export function changeKeys(path: string, change: KeyChange): Promise<KeyIds> {
  return changeKeyFile(path, change)
}

/** Certifies a node as the CA of a cluster. @throws NavstarError `GOSSIP_KEY_INVALID` */
export function certify(request: CertifyRequest): Promise<NodeCredentials> {
  return certifyNode(request)
}

/** The id of the node that a state directory is of; makes its key when there is none. */
export function nodeIdIn(stateDirectory: string): Promise<NodeId> {
  return readNodeId(stateDirectory)
}
