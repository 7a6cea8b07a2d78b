/** What nodes send each other; `docs/gossip.md` gives the bytes, `../wire` reads and writes them. */
import type { NodeId } from '../../model/node-id.ts'
import type { Accusation, Announcement, Eviction, Head, VersionedRecord } from './statements.ts'

/** 64 bits that differ when what two nodes know differs (but for chance). */
export interface Digest {
  readonly high: number
  readonly low: number
}

/** "Do you live, and do we know the same?" */
export interface Ping {
  readonly kind: 'ping'
  readonly sequence: number
  readonly digest: Digest
}

/** The answer to a ping. */
export interface Ack {
  readonly kind: 'ack'
  readonly sequence: number
  readonly digest: Digest
}

/** "Ping this node for me." */
export interface PingRequest {
  readonly kind: 'ping-request'
  readonly sequence: number
  readonly subject: NodeId
}

/** What became of a ping request: the subject answered, or not in time (a nack). */
export interface PingReport {
  readonly kind: 'ping-report'
  readonly sequence: number
  readonly isAnswered: boolean
}

/** Part of a node's records: all whose version is in (`from`, `through`]. */
export interface Delta {
  readonly kind: 'delta'
  readonly head: Head
  /** What the receiver must hold already; 0 replaces whatever it holds. */
  readonly from: number
  /** Equals the head's version in the last part. */
  readonly through: number
  /** Time since its node made the change, as added up on the way; milliseconds. */
  readonly ageMs: number
  readonly records: readonly VersionedRecord[]
}

/** "I hold these versions", to peers that get no copy unasked. */
export interface Have {
  readonly kind: 'have'
  readonly entries: readonly { readonly node: NodeId; readonly version: number }[]
}

/** What is held of a node, or staged of a set that is being taken whole. */
export interface WantEntry {
  readonly node: NodeId
  readonly held: number
  /** Everything up to `held` was just received: the floor does not matter. */
  readonly isStaged: boolean
}

/** "Send me the next part of what is newer." With `isGraft`: and from now on unasked. */
export interface Want {
  readonly kind: 'want'
  readonly isGraft: boolean
  readonly entries: readonly WantEntry[]
}

/** "Send me announcements and accusations of these nodes." */
export interface WantMembers {
  readonly kind: 'want-members'
  readonly nodes: readonly NodeId[]
}

/** "I got this from elsewhere; send me no copies unasked." */
export interface Prune {
  readonly kind: 'prune'
}

/** Opens anti-entropy: the digests of the 16 ranges by the first digit of the node id. */
export interface SyncOpen {
  readonly kind: 'sync-open'
  readonly digests: readonly Digest[]
}

/** The ranges that differ, each split in 16. */
export interface SyncRanges {
  readonly kind: 'sync-ranges'
  readonly ranges: readonly { readonly digit: number; readonly digests: readonly Digest[] }[]
}

/** What is known of one node. */
export interface SyncRow {
  readonly node: NodeId
  readonly incarnation: number
  readonly isAccused: boolean
  readonly held: number
}

/** All nodes of the ranges (first two digits, 0..255) that differ. */
export interface SyncRows {
  readonly kind: 'sync-rows'
  readonly ranges: readonly number[]
  readonly rows: readonly SyncRow[]
}

/** "That was all that we know differently." */
export interface SyncEnd {
  readonly kind: 'sync-end'
}

/** "I am new; whom do you know?" */
export interface Join {
  readonly kind: 'join'
  readonly announcement: Announcement
}

/** Some members, the answering one first. */
export interface Welcome {
  readonly kind: 'welcome'
  readonly announcements: readonly Announcement[]
}

/** "Something of yours changed, a master says: read your agent now." */
export interface Hint {
  readonly kind: 'hint'
}

/** "The agent with this id is gone for good, a master says: if it was yours, see whether it answers." */
export interface AgentGone {
  readonly kind: 'agent-gone'
  /** Mesos' id of it, e.g. `0c8a…-S12`. */
  readonly agent: string
}

/** Everything that is sent. */
export type Message =
  | Ping
  | Ack
  | PingRequest
  | PingReport
  | Announcement
  | Accusation
  | Delta
  | Have
  | Want
  | WantMembers
  | Prune
  | SyncOpen
  | SyncRanges
  | SyncRows
  | SyncEnd
  | Join
  | Welcome
  | Hint
  | Eviction
  | AgentGone

/** The name of a kind of message. */
export type MessageKind = Message['kind']
