/** What the simulator needs of an engine; `src/gossip/engine/engine.ts` is the one it is for. */
import type { Effect, EngineInput } from '../../src/gossip/engine/effects.ts'
import type { Digest, Message } from '../../src/gossip/engine/messages.ts'
import type { EngineSettings } from '../../src/gossip/engine/settings.ts'
import type { Announcement, Notary } from '../../src/gossip/engine/statements.ts'
import type { Endpoint } from '../../src/model/endpoint.ts'
import type { Member } from '../../src/model/member.ts'
import type { NodeId } from '../../src/model/node-id.ts'
import type { ClusterRecord } from '../../src/model/record.ts'

/** The engine, as far as it is used here. */
export interface SimulatedEngine {
  handle(input: EngineInput, nowMs: number): readonly Effect[]
  readonly nextDueMs: number
  readonly incarnation: number
  readonly version: number
  readonly isIsolated: boolean
  readonly digest: Digest
  members(): Iterable<Member>
  member(id: NodeId): Member | undefined
  records(): Iterable<ClusterRecord>
  announcements(): readonly Announcement[]
}

/** With what an engine is made. */
export interface SimulatedEngineOptions {
  readonly notary: Notary
  readonly endpoint: Endpoint
  readonly incarnation: number
  readonly firstVersion: number
  readonly seed: number
  readonly settings: EngineSettings
}

/** Makes an engine. */
export type OpenEngine = (options: SimulatedEngineOptions) => SimulatedEngine

/** What messages become on the wire. */
export interface Wire {
  /** Bytes of one message, exactly. */
  sizeOf(message: Message): number
  /**
   * What the receiver reads; the same objects when the codec is left out.
   *
   * @param isHonest nothing may get lost
   */
  carry(messages: readonly Message[], isHonest: boolean): readonly Message[]
}

/** Makes the identity of a host's life; the same arguments, the same identity. */
export type OpenNotary = (identity: string) => Notary
