import type { Brand } from './brand.ts'
import type { Ip } from './ip.ts'
import type { NodeId } from './node-id.ts'
import type { Port, Protocol } from './port.ts'
import type { TaskKey } from './task.ts'
import { type DrainReason, formatEndpoint, type Vip } from './vip.ts'
import type { VipOptions } from './vip-options.ts'
import type { Zone } from './zone.ts'

/**
 * Identity of a record: `tcp/named:/web@marathon:80/10.0.0.1:8080/<task key>`; that of another
 * node begins with the node's id and a slash, since two nodes may state one endpoint.
 */
export type BackendRecordKey = Brand<string, 'BackendRecordKey'>

/** One endpoint of one task behind one VIP, as its own node states it. */
export interface BackendRecord {
  readonly key: BackendRecordKey
  readonly vip: Vip
  readonly vipPort: Port
  readonly protocol: Protocol
  readonly address: Ip
  readonly port: Port
  readonly weight: number
  /** The address of the node that states this. */
  readonly nodeIp: Ip
  readonly taskKey: TaskKey
  /** The node that states this; undefined: this one. */
  readonly node?: NodeId
  /** The node that states this is silent: no new connections while others can take them. */
  readonly isDoubted?: true
  /**
   * Where the endpoint is on its own node, when a port mapping there would have to be passed:
   * the container's address behind the agent's host port.
   */
  readonly local?: { readonly address: Ip; readonly port: Port }
  /** What its task asks of the VIP; absent when nothing. */
  readonly options?: VipOptions
  /** Why its weight is 0, where its node says it. */
  readonly drainReason?: DrainReason
  /** Where its node is, when it has a zone. */
  readonly zone?: Zone
}

/** Identity of what clients name: `tcp/named:/web@marathon:80` or `udp/address:10.1.2.3:53`. */
export type VipKey = Brand<string, 'VipKey'>

/**
 * The key of the VIP that a record serves; raw labels are kept apart, as in DC/OS. An `@` in a
 * framework's name is written `%40`, so that the last one ends the label.
 */
export function vipKeyOf(record: Pick<BackendRecord, 'vip' | 'vipPort' | 'protocol'>): VipKey {
  const { vip, vipPort, protocol } = record
  const target =
    vip.kind === 'named'
      ? `named:${vip.rawLabel}@${vip.framework.replaceAll('%', '%25').replaceAll('@', '%40')}`
      : `address:${vip.address}`
  return `${protocol}/${target}:${vipPort}` as VipKey
}

/** The key of a record. */
export function backendRecordKeyOf(record: Omit<BackendRecord, 'key'>): BackendRecordKey {
  const origin = record.node === undefined ? '' : `${record.node}/`
  const key = `${origin}${vipKeyOf(record)}/${formatEndpoint(record)}/${record.taskKey}`
  return key as BackendRecordKey
}
