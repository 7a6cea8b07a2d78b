/** What nodes tell each other. The bytes of a value belong to the capability that owns the kind. */
import type { Brand } from './brand.ts'
import type { NodeId } from './node-id.ts'

/** The kinds of records; others may come from newer nodes and are carried along. */
export const RECORD_KINDS: Readonly<
  Record<'backends' | 'vtep' | 'names' | 'facts' | 'summary' | 'addressClaim', number>
> = Object.freeze({
  /** The backends of one VIP on one node; key: the VIP's. */
  backends: 1,
  /** The tunnel end of a node; key: the network's name. */
  vtep: 2,
  /** Names of a node's tasks; key: the zone. */
  names: 3,
  /** Facts about the node; key: the fact's name. */
  facts: 4,
  /** Summary of a node's metrics; key: the metric's name. */
  summary: 5,
  /** The address that a name shall have; key: family and name. */
  addressClaim: 6,
})

/** A record as its own node states it. */
export interface OwnRecord {
  /** One of {@link RECORD_KINDS}. */
  readonly kind: number
  /** Version of the value's layout, from 1. */
  readonly schema: number
  /** Identity within node and kind; at most 512 bytes of UTF-8. */
  readonly key: string
  /** At most 1 MiB. */
  readonly value: Uint8Array
}

/** Identity of a record on its own node: `1/tcp/named:/web@marathon:80`. */
export type OwnRecordId = Brand<string, 'OwnRecordId'>

/** Identity of a record in the cluster: `<node id>/1/tcp/named:/web@marathon:80`. */
export type ClusterRecordId = Brand<string, 'ClusterRecordId'>

/** A record of any node. */
export interface ClusterRecord extends OwnRecord {
  readonly node: NodeId
  /** Of the node's own count; grows with each of its changes. */
  readonly version: number
}

/** The identity of a record on its node. */
export function ownRecordIdOf({ kind, key }: Pick<OwnRecord, 'kind' | 'key'>): OwnRecordId {
  return `${kind}/${key}` as OwnRecordId
}

/** The identity of a record in the cluster. */
export function clusterRecordIdOf(node: NodeId, id: OwnRecordId): ClusterRecordId {
  return `${node}/${id}` as ClusterRecordId
}

/** Takes the identity of a record in the cluster apart. */
export function parseClusterRecordId(id: ClusterRecordId): {
  readonly node: NodeId
  readonly kind: number
  readonly key: string
} {
  const kindAt = id.indexOf('/') + 1
  const keyAt = id.indexOf('/', kindAt) + 1
  return {
    node: id.slice(0, kindAt - 1) as NodeId,
    kind: Number(id.slice(kindAt, keyAt - 1)),
    key: id.slice(keyAt),
  }
}
