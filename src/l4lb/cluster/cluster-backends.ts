/** The backends of the whole cluster: this node's own, and what others tell. */
import { NavstarError } from '../../base/error.ts'
import { type Snapshot, Table } from '../../base/table.ts'
import type { BackendRecord, BackendRecordKey } from '../../model/backend-record.ts'
import type { Member } from '../../model/member.ts'
import type { NodeId } from '../../model/node-id.ts'
import {
  type ClusterRecord,
  type ClusterRecordId,
  parseClusterRecordId,
  RECORD_KINDS,
} from '../../model/record.ts'
import { isSameOptions } from '../../model/vip-options.ts'
import type { AddressBook, ClaimChange } from '../addresses/address-book.ts'
import { decodeAddressClaim, parseClaimKey } from '../addresses/address-claim.ts'
import { decodeBackendSet } from './backend-set.ts'

/** What l4lb takes of gossip. */
export interface GossipView {
  readonly self: NodeId
  /** The records of all nodes, this one included. */
  readonly records: Table<ClusterRecordId, ClusterRecord>
  /** Every node; one that is not in it has no records that count. */
  readonly members: Table<NodeId, Member>
  /** Everyone else looks doubted or dead. */
  isIsolated(): boolean
}

/** What {@link ClusterBackends} works with. */
export interface ClusterBackendsParts {
  /** This node's own backends, which count without a detour over gossip. */
  readonly own: Table<BackendRecordKey, BackendRecord>
  readonly gossip: GossipView
  /** Receives the claims of other nodes. */
  readonly addresses: AddressBook
  readonly events: ClusterBackendsEvents
}

/** What {@link ClusterBackends} tells. */
export interface ClusterBackendsEvents {
  /** A record of another node, or a part of it, cannot be used. */
  onProblem(problem: NavstarError, kind: 'backends' | 'addressClaim'): void
  /** From now on everyone else looks gone, or no more. */
  onIsolation(isIsolated: boolean): void
}

/** How the backends of a node count. */
type View = 'shown' | 'doubted' | 'hidden'

interface ForeignSet {
  readonly node: NodeId
  /** As stated, without marks. */
  readonly backends: readonly BackendRecord[]
}

type Changes = Map<BackendRecordKey, BackendRecord | undefined>

const PROBLEM_LIMIT = 100

/**
 * Joins own backends, the sets of other nodes, and how those nodes stand: the records of nodes that
 * are dead or left are gone, of doubted ones marked. When everyone else looks gone this node is the
 * one that is cut off: then all records stay, unmarked, but those of nodes that said that they leave.
 */
export class ClusterBackends {
  /** Complete when own and foreign records are. */
  readonly records: Table<BackendRecordKey, BackendRecord> = new Table()
  readonly #parts: ClusterBackendsParts
  readonly #sets = new Map<ClusterRecordId, ForeignSet>()
  readonly #setsOf = new Map<NodeId, Set<ClusterRecordId>>()
  readonly #views = new Map<NodeId, View>()
  readonly #problems = new Map<ClusterRecordId, NavstarError>()
  readonly #stops: readonly (() => void)[]
  #isIsolated = false

  constructor(parts: ClusterBackendsParts) {
    const { own, gossip } = parts
    this.#parts = parts
    this.#followMembers(gossip.members.snapshot.rows.keys())
    this.#followRecords(gossip.records.snapshot, gossip.records.snapshot.rows.keys())
    this.#followOwn(own.snapshot, own.snapshot.rows.keys())
    this.#stops = [
      gossip.members.onChange(({ keys }) => this.#followMembers(keys)),
      gossip.records.onChange(({ snapshot, keys }) => this.#followRecords(snapshot, keys)),
      own.onChange(({ snapshot, keys }) => this.#followOwn(snapshot, keys)),
    ]
  }

  /** Whether this node is cut off, and what of others cannot be used. */
  get problems(): readonly NavstarError[] {
    const attempt = `hear of ${this.#parts.gossip.members.snapshot.rows.size - 1} other nodes`
    const isolation = this.#isIsolated ? [new NavstarError('CLUSTER_ISOLATED', { attempt })] : []
    return [...isolation, ...this.#problems.values()]
  }

  /** Stops following. */
  close(): void {
    for (const stop of this.#stops) stop()
  }

  #followOwn(
    { rows }: Snapshot<BackendRecordKey, BackendRecord>,
    keys: Iterable<BackendRecordKey>,
  ): void {
    this.#update(new Map([...keys].map((key) => [key, rows.get(key)] as const)))
  }

  /** Claims go first: names shall have their address before they are served. */
  #followRecords(
    { rows }: Snapshot<ClusterRecordId, ClusterRecord>,
    keys: Iterable<ClusterRecordId>,
  ): void {
    const claims: ClaimChange[] = []
    const changes: Changes = new Map()
    for (const id of keys) {
      const { node, kind, key } = parseClusterRecordId(id)
      if (node === this.#parts.gossip.self) continue
      const record = rows.get(id)
      if (kind === RECORD_KINDS.backends) this.#exchange(id, { node, record }, changes)
      if (kind !== RECORD_KINDS.addressClaim) continue
      const change = this.#claimChange(id, { node, record, key })
      if (change !== undefined) claims.push(change)
    }
    if (claims.length > 0) this.#parts.addresses.claim(claims)
    this.#update(changes)
  }

  #claimChange(
    id: ClusterRecordId,
    { node, record, key }: { node: NodeId; record: ClusterRecord | undefined; key: string },
  ): ClaimChange | undefined {
    const subject = parseClaimKey(key)
    const read = record === undefined ? undefined : decodeAddressClaim(record)
    this.#note(id, read !== undefined && 'problem' in read ? read.problem : undefined)
    if (subject === undefined) return undefined
    const claim = read !== undefined && 'claim' in read ? read.claim : undefined
    return { ...subject, node, claim }
  }

  /** Replaces the backends of one set; those that are as before stay the same objects. */
  #exchange(
    id: ClusterRecordId,
    { node, record }: { readonly node: NodeId; readonly record: ClusterRecord | undefined },
    changes: Changes,
  ): void {
    const known = new Map(this.#sets.get(id)?.backends.map((each) => [each.key, each] as const))
    const read = record && decodeBackendSet(record, { isOwn: false })
    this.#note(id, read?.problem)
    const backends = (read?.backends ?? []).map((backend) => {
      const before = known.get(backend.key)
      known.delete(backend.key)
      return before !== undefined && isSame(before, backend) ? before : backend
    })
    for (const key of known.keys()) changes.set(key, undefined)
    this.#show({ node, backends }, changes)
    const ids = this.#setsOf.get(node) ?? new Set()
    if (backends.length > 0) {
      this.#sets.set(id, { node, backends })
      this.#setsOf.set(node, ids.add(id))
      return
    }
    this.#sets.delete(id)
    ids.delete(id)
    if (ids.size === 0) this.#setsOf.delete(node)
  }

  #followMembers(keys: Iterable<NodeId>): void {
    const { gossip, events } = this.#parts
    const { rows } = gossip.members.snapshot
    const isIsolated = gossip.isIsolated()
    const isTurned = isIsolated !== this.#isIsolated
    this.#isIsolated = isIsolated
    const changes: Changes = new Map()
    for (const node of isTurned ? [...keys, ...rows.keys()] : keys) {
      const member = rows.get(node)
      const view = viewOf(member, isIsolated)
      if (view === (this.#views.get(node) ?? 'hidden')) continue
      if (member === undefined) this.#views.delete(node)
      else this.#views.set(node, view)
      for (const id of this.#setsOf.get(node) ?? []) {
        const set = this.#sets.get(id)
        if (set !== undefined) this.#show(set, changes)
      }
    }
    this.#update(changes)
    if (isTurned) events.onIsolation(isIsolated)
  }

  /** Adds the rows of a set, as its node stands. */
  #show({ node, backends }: ForeignSet, changes: Changes): void {
    const view = this.#views.get(node) ?? 'hidden'
    for (const backend of backends) {
      if (view === 'hidden') changes.set(backend.key, undefined)
      else changes.set(backend.key, view === 'shown' ? backend : { ...backend, isDoubted: true })
    }
  }

  #update(changes: Changes): void {
    const { own, gossip } = this.#parts
    const isComplete = own.snapshot.isComplete && gossip.records.snapshot.isComplete
    this.records.update(changes, isComplete)
  }

  #note(id: ClusterRecordId, problem: NavstarError | undefined): void {
    if (problem === undefined) {
      this.#problems.delete(id)
      return
    }
    const { kind } = parseClusterRecordId(id)
    this.#parts.events.onProblem(
      problem,
      kind === RECORD_KINDS.backends ? 'backends' : 'addressClaim',
    )
    if (this.#problems.size < PROBLEM_LIMIT) this.#problems.set(id, problem)
  }
}

function viewOf(member: Member | undefined, isIsolated: boolean): View {
  if (member === undefined || member.state === 'left') return 'hidden'
  if (isIsolated || member.state === 'alive') return 'shown'
  return member.state === 'doubted' ? 'doubted' : 'hidden'
}

/** Equal keys mean equal endpoints and tasks. */
function isSame(one: BackendRecord, other: BackendRecord): boolean {
  return (
    one.weight === other.weight &&
    one.nodeIp === other.nodeIp &&
    one.drainReason === other.drainReason &&
    one.zone === other.zone &&
    isSameOptions(one.options, other.options)
  )
}
