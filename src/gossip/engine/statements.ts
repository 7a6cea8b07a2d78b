/** What nodes state and sign; everything that is believed about the cluster comes from these. */
import type { Endpoint } from '../../model/endpoint.ts'
import type { NodeId } from '../../model/node-id.ts'

/** How many rings order the nodes; see `rings.ts`. */
export const RING_COUNT = 4

/** A node about itself. The one with the highest incarnation holds. */
export interface Announcement {
  readonly kind: 'announcement'
  readonly node: NodeId
  /** Ed25519, 32 bytes; its hash is the node's id. */
  readonly publicKey: Uint8Array
  readonly endpoint: Endpoint
  readonly incarnation: number
  readonly isLeaving: boolean
  /** What the cluster's CA signed for the node; empty without a CA. */
  readonly certificate: Uint8Array
  /** Of {@link node} over all other fields. */
  readonly signature: Uint8Array
}

/** A node about another: it does not answer. Void once the subject has a higher incarnation. */
export interface Accusation {
  readonly kind: 'accusation'
  readonly subject: NodeId
  readonly incarnation: number
  readonly accuser: NodeId
  /** Of {@link accuser}. */
  readonly signature: Uint8Array
}

/** A node about another: it does not come back, not in this incarnation. Only ends the waiting for dead ones. */
export interface Eviction {
  readonly kind: 'eviction'
  readonly subject: NodeId
  readonly incarnation: number
  readonly issuer: NodeId
  /** Of {@link issuer}. */
  readonly signature: Uint8Array
}

/** A node about its records: how they are at a version. */
export interface Head {
  readonly kind: 'head'
  readonly node: NodeId
  readonly version: number
  /** Deletions up to this version are forgotten: who holds an older version must start anew. */
  readonly floor: number
  /** The records are digested in 2^bucketBits buckets. */
  readonly bucketBits: number
  /** SHA-256 over the buckets' digests, see `record-set.ts`; 32 bytes. */
  readonly digest: Uint8Array
  /** Of {@link node}. */
  readonly signature: Uint8Array
}

/** Anything that is signed. */
export type Statement = Announcement | Accusation | Eviction | Head

/** A statement before it is signed. */
export type Unsigned<S extends Statement> = Omit<S, 'signature'>

/** Signs as this node and checks what others signed. Pure: the same input, the same answer. */
export interface Notary {
  readonly node: NodeId
  readonly publicKey: Uint8Array
  /** What the CA signed for this node; empty without a CA. */
  readonly certificate: Uint8Array
  sign<S extends Statement>(statement: Unsigned<S>): S
  /**
   * Whether the signature is the signer's; for an announcement also whether the id is that of
   * the key, and the certificate the CA's.
   *
   * @param publicKey of the node that must have signed
   */
  isValid(statement: Statement, publicKey: Uint8Array): boolean
}

/** A record as it is held and sent: the latest of its key, or that it was deleted. */
export interface VersionedRecord {
  readonly kind: number
  readonly schema: number
  readonly key: string
  readonly version: number
  readonly isDeleted: boolean
  /** Empty when deleted. */
  readonly value: Uint8Array
}
