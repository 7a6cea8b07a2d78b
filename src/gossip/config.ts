import type { Endpoint } from '../model/endpoint.ts'

/** What an operator can set about gossip. Without a cluster id the node stands alone. */
export interface GossipOptions {
  /** The name of the cluster; nodes of another are not heard. */
  readonly clusterId?: string
  /** File with the cluster's keys; see `navstar keys`. */
  readonly keyFile?: string
  /** Where gossip listens, UDP and TCP; without an address that of the node. */
  readonly listen: { readonly address?: Endpoint['address']; readonly port: number }
  /** Other nodes to join through. */
  readonly seeds: readonly Endpoint[]
  /** Where this node keeps its identity, its incarnation and the members it knew. */
  readonly stateDirectory: string
  /** The cluster CA's Ed25519 public key: base64, or a file with it; only certified nodes are believed. */
  readonly caKey?: string
  /** What that CA signed for this node: base64, or a file with it. */
  readonly certificate?: string
  /** The largest datagram, UDP payload in bytes. */
  readonly datagramBytes: number
}

/** The port that nodes gossip on, UDP and TCP. */
export const GOSSIP_PORT = 62501

/** What holds where the operator says nothing. */
export const GOSSIP_DEFAULTS: GossipOptions = Object.freeze({
  listen: Object.freeze({ port: GOSSIP_PORT }),
  seeds: Object.freeze([]),
  stateDirectory: '/var/lib/navstar',
  datagramBytes: 1400,
})
