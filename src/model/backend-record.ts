import type { Brand } from './brand.ts'
import type { Ip } from './ip.ts'
import type { Port, Protocol } from './port.ts'
import type { TaskKey } from './task.ts'
import { formatEndpoint, type Vip } from './vip.ts'

/** Identity of a record: `tcp/named:/web@marathon:80/10.0.0.1:8080/<task key>`. */
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
  /** The node that states this; the only one that may. */
  readonly nodeIp: Ip
  readonly taskKey: TaskKey
  /**
   * Where the endpoint is on its own node, when a port mapping there would have to be passed:
   * the container's address behind the agent's host port.
   */
  readonly local?: { readonly address: Ip; readonly port: Port }
}

/** Identity of what clients name: `tcp/named:/web@marathon:80` or `udp/address:10.1.2.3:53`. */
export type VipKey = Brand<string, 'VipKey'>

/** The key of the VIP that a record serves; raw labels are kept apart, as in DC/OS. */
function vipKeyOf(record: Pick<BackendRecord, 'vip' | 'vipPort' | 'protocol'>): VipKey {
  const { vip, vipPort, protocol } = record
  const target =
    vip.kind === 'named' ? `named:${vip.rawLabel}@${vip.framework}` : `address:${vip.address}`
  return `${protocol}/${target}:${vipPort}` as VipKey
}

/** The key of a record. */
export function backendRecordKeyOf(record: Omit<BackendRecord, 'key'>): BackendRecordKey {
  return `${vipKeyOf(record)}/${formatEndpoint(record)}/${record.taskKey}` as BackendRecordKey
}
