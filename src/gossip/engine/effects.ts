/** What goes into the engine and what comes out of it. */
import type { Endpoint } from '../../model/endpoint.ts'
import type { Member } from '../../model/member.ts'
import type { NodeId } from '../../model/node-id.ts'
import type { ClusterRecord, ClusterRecordId, OwnRecord, OwnRecordId } from '../../model/record.ts'
import type { Message, MessageKind } from './messages.ts'
import type { Announcement } from './statements.ts'

/** Where a message goes; a seed's node id is not known yet. */
export interface Destination {
  readonly node?: NodeId
  readonly endpoint: Endpoint
}

/** Datagrams may be lost and stay below the MTU; streams are in order, with back-pressure. */
export type Channel = 'datagram' | 'stream'

/** What happens to the engine. */
export type EngineInput =
  /** Begins; members from an earlier life are tried like seeds. */
  | {
      readonly kind: 'start'
      readonly seeds: readonly Endpoint[]
      readonly members: readonly Announcement[]
    }
  /** Time has come to {@link Engine.nextDueMs}, or gone past it. */
  | { readonly kind: 'tick' }
  /** Messages of one packet or frame. */
  | {
      readonly kind: 'received'
      readonly from: NodeId
      readonly endpoint: Endpoint
      readonly messages: readonly Message[]
    }
  /** This node's records changed; undefined removes. Nothing is removed before `isComplete`. */
  | {
      readonly kind: 'publish'
      readonly changes: Iterable<readonly [OwnRecordId, OwnRecord | undefined]>
      readonly isComplete: boolean
    }
  /** The data path saw a node fail: probe it now. */
  | { readonly kind: 'report'; readonly node: NodeId }
  /** A master says that the node's tasks changed: tell it. */
  | { readonly kind: 'hint'; readonly node: NodeId }
  /** A master says that this agent is gone for good, and the node is where it was: tell it. */
  | { readonly kind: 'agent-gone'; readonly node: NodeId; readonly agent: string }
  /** The node does not come back, an operator or a master says: evict it, unless it is alive. */
  | { readonly kind: 'forget'; readonly node: NodeId }
  /** A stream could not be opened or broke: what was in it may be lost. */
  | { readonly kind: 'unreachable'; readonly to: Destination }
  /** This node goes for good. */
  | { readonly kind: 'leave' }

/** Something worth counting or logging. */
export type EngineEvent =
  | { readonly kind: 'probe-sent'; readonly node: NodeId; readonly isIndirect: boolean }
  | { readonly kind: 'probe-answered'; readonly node: NodeId; readonly rttMs: number }
  | { readonly kind: 'probe-missed'; readonly node: NodeId }
  | { readonly kind: 'stalled'; readonly lateMs: number }
  | { readonly kind: 'doubted'; readonly node: NodeId; readonly accuser: NodeId }
  | { readonly kind: 'refuted'; readonly node: NodeId }
  | { readonly kind: 'dead'; readonly node: NodeId }
  | { readonly kind: 'left'; readonly node: NodeId }
  | { readonly kind: 'joined'; readonly node: NodeId }
  | { readonly kind: 'forgotten'; readonly node: NodeId }
  | {
      readonly kind: 'evicted'
      readonly node: NodeId
      readonly issuer: NodeId
      /** It is not dead here: it will be forgotten when it is. */
      readonly isPending: boolean
    }
  | { readonly kind: 'self-refuted'; readonly accuser: NodeId; readonly incarnation: number }
  | { readonly kind: 'isolated'; readonly isIsolated: boolean }
  | { readonly kind: 'sync-opened'; readonly node: NodeId }
  | {
      readonly kind: 'delta-applied'
      readonly node: NodeId
      /** Since the node made the change, as added up on the way. */
      readonly ageMs: number
      /** The whole set was taken: the age says nothing about spreading. */
      readonly isWhole: boolean
    }
  | { readonly kind: 'delta-duplicate'; readonly node: NodeId }
  | { readonly kind: 'hinted'; readonly from: NodeId }
  | { readonly kind: 'agent-gone'; readonly from: NodeId; readonly agent: string }
  | {
      readonly kind: 'rejected'
      readonly from: NodeId
      readonly reason: RejectReason
      readonly message: MessageKind
    }

/** Why a message of a peer was not believed. */
export type RejectReason =
  | 'bad-signature'
  | 'wrong-digest'
  | 'unknown-node'
  | 'gap'
  | 'own-record'
  | 'forgotten-node'
  | 'too-large'

/** What the engine wants done. */
export type Effect =
  | {
      readonly kind: 'send'
      readonly to: Destination
      readonly channel: Channel
      readonly messages: readonly Message[]
    }
  /** Rows changed; undefined: removed. */
  | {
      readonly kind: 'records'
      readonly changes: readonly (readonly [ClusterRecordId, ClusterRecord | undefined])[]
    }
  | {
      readonly kind: 'members'
      readonly changes: readonly (readonly [NodeId, Member | undefined])[]
    }
  /** The first anti-entropy round ended, or nobody was there to hold one with. */
  | { readonly kind: 'complete' }
  | { readonly kind: 'event'; readonly event: EngineEvent }
