/** What the daemon tells about the cluster over HTTP; the CLI prints the same. */
import type { Resources } from '../admin/admin.ts'
import { NavstarError } from '../base/error.ts'
import type { Gossip } from '../gossip/gossip.ts'
import type { Member, MemberState } from '../model/member.ts'
import { type NodeId, parseNodeId } from '../model/node-id.ts'
import { formatEndpoint } from '../model/vip.ts'

/** A node as `navstar nodes` shows it. */
export interface NodeView {
  readonly id: string
  /** Where it gossips, e.g. `10.0.0.1:62501`. */
  readonly address: string
  /** `alive`, `doubted`, `dead` or `left`. */
  readonly state: MemberState
  readonly incarnation: number
  readonly isSelf: boolean
  /** It is forgotten once it is dead. */
  readonly isEvicted?: true
  /** Absent until it was probed. */
  readonly rttMs?: number
  readonly records: number
  /** The version of its records that is held here; 0: nothing yet. */
  readonly heldVersion: number
  /** The highest that was heard of. */
  readonly knownVersion: number
}

/** The answer of `/v1/navstar/nodes`. */
export interface NodesView {
  readonly self: string
  /** Absent when the node stands alone. */
  readonly clusterId?: string
  /** Every other member looks doubted or dead. */
  readonly isIsolated: boolean
  /** False until the first anti-entropy ended. */
  readonly isComplete: boolean
  readonly nodes: readonly NodeView[]
}

/** The answer of `POST /v1/navstar/nodes/forget`; the body is `{ "node": "an id, or how one begins" }`. */
export interface ForgottenView {
  readonly id: string
  readonly address: string
  /** `pending`: it is doubted, and forgotten once it is dead. */
  readonly state: 'forgotten' | 'pending'
}

/** Gossip as `/v1/navstar/status` shows it. */
export interface GossipStatusView {
  readonly self: string
  readonly clusterId?: string
  /** Where it listens; absent until it does. */
  readonly listen?: string
  readonly isIsolated: boolean
  readonly isComplete: boolean
  /** How many members there are by state. */
  readonly members: Readonly<Record<MemberState, number>>
  readonly records: number
  /** Members of whose records a newer version is known than is held. */
  readonly missingVersions: number
}

/** The resources about the cluster. */
export function nodeResources(gossip: Gossip): Resources {
  return {
    '/v1/navstar/nodes': () => nodesView(gossip),
    'POST /v1/navstar/leave': () => leave(gossip),
    'POST /v1/navstar/nodes/forget': (_query, body) => forget(gossip, body),
  }
}

/** How gossip stands. */
export function gossipStatusView(gossip: Gossip): GossipStatusView {
  const { self, clusterId, records } = gossip
  const listen = gossip.endpoint()
  const members = { alive: 0, doubted: 0, dead: 0, left: 0 }
  const all = gossip.currentMembers()
  for (const { state } of all) members[state]++
  return {
    self,
    ...(clusterId !== undefined && { clusterId }),
    ...(listen !== undefined && { listen: formatEndpoint(listen) }),
    isIsolated: gossip.isIsolated(),
    isComplete: records.snapshot.isComplete,
    members,
    records: records.snapshot.rows.size,
    missingVersions: all.filter(isBehind).length,
  }
}

function nodesView(gossip: Gossip): NodesView {
  const { self, clusterId, records } = gossip
  const nodes = gossip.currentMembers().map(nodeView)
  return {
    self,
    ...(clusterId !== undefined && { clusterId }),
    isIsolated: gossip.isIsolated(),
    isComplete: records.snapshot.isComplete,
    nodes: nodes.sort((left, right) => (left.id < right.id ? -1 : 1)),
  }
}

function nodeView({ endpoint, recordCount, ...member }: Member): NodeView {
  return { ...member, address: formatEndpoint(endpoint), records: recordCount }
}

async function leave(gossip: Gossip): Promise<{ readonly left: string }> {
  if (gossip.clusterId === undefined) {
    const cause = 'this node stands alone'
    throw new NavstarError('ADMIN_REQUEST_INVALID', { attempt: 'leave the cluster', cause })
  }
  await gossip.leave()
  return { left: gossip.self }
}

function forget(gossip: Gossip, body: unknown): ForgottenView {
  const { member, isPending } = gossip.forget(nodeNamed(gossip, body))
  const { id, endpoint } = member
  return { id, address: formatEndpoint(endpoint), state: isPending ? 'pending' : 'forgotten' }
}

/** The member whose id is given or begins so. */
function nodeNamed(gossip: Gossip, body: unknown): NodeId {
  const { node: text } = (body ?? {}) as { readonly node?: unknown }
  const attempt = `find node '${String(text)}'`
  if (typeof text !== 'string' || !/^[0-9a-f]{1,32}$/.test(text)) {
    throw new NavstarError('ADMIN_REQUEST_INVALID', { attempt, cause: 'that is no node id' })
  }
  const id = parseNodeId(text)
  if (id !== undefined) return id
  const found = gossip.currentMembers().filter((member) => member.id.startsWith(text))
  const [first] = found
  if (first === undefined) throw new NavstarError('GOSSIP_MEMBER_UNKNOWN', { attempt })
  if (found.length === 1) return first.id
  const cause = `${found.length} ids begin so: ${found.slice(0, 3).map((member) => member.id)}`
  throw new NavstarError('ADMIN_REQUEST_INVALID', { attempt, cause })
}

function isBehind({ heldVersion, knownVersion, state }: Member): boolean {
  return state !== 'left' && heldVersion < knownVersion
}
