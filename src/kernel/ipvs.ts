/**
 * IPVS as plain data: virtual services and their destinations.
 *
 * **Source:** `include/uapi/linux/ip_vs.h`, ipvsadm(8)
 */
import { type Family, familyOf, type Ip } from '../model/ip.ts'
import type { OperationResult } from './operation.ts'

/** What names a service: packets to an address and port, or packets with a firewall mark. */
export type IpvsKey =
  | {
      readonly kind: 'address'
      readonly protocol: 'tcp' | 'udp' | 'sctp'
      readonly address: Ip
      /** 0: every port of a persistent service. */
      readonly port: number
    }
  | { readonly kind: 'mark'; readonly family: Family; readonly mark: number }

/** A virtual service as it is made; see {@link ipvsService} for the defaults. */
export interface IpvsService {
  readonly key: IpvsKey
  /** E.g. `wlc`; `none` is a service without scheduler. */
  readonly scheduler: string
  /** A client stays with its destination. */
  readonly isPersistent: boolean
  /** Every UDP packet is scheduled by itself. */
  readonly isOnePacket: boolean
  /** The scheduler's flags 1 to 3 as bits 0 to 2; for `sh` and `mh` fallback is 1 and port is 2. */
  readonly schedulerFlags: number
  /** How long a client stays when persistent. */
  readonly persistenceSeconds: number
  /** Clients that share this prefix are one to persistence: 0 to 32, for IPv6 1 to 128. */
  readonly persistencePrefix: number
}

/** What names a destination within its service. */
export interface IpvsEndpoint {
  readonly address: Ip
  readonly port: number
}

/** How packets reach a destination; `unknown` cannot be written. */
export type IpvsForwarding = 'masquerade' | 'local' | 'tunnel' | 'direct' | 'bypass' | 'unknown'

/** A destination as it is made; see {@link ipvsDestination} for the defaults. */
export interface IpvsDestination extends IpvsEndpoint {
  readonly forwarding: IpvsForwarding
  /** Its share; 0 is no new connection. */
  readonly weight: number
  /** No new connection at this many; 0 is no limit. */
  readonly upperThreshold: number
  /** New connections again below this many. */
  readonly lowerThreshold: number
}

/** Counters since the object was made, and rates; the kernel updates them every two seconds. */
export interface IpvsStatistics {
  readonly connections: number
  readonly incomingPackets: number
  readonly outgoingPackets: number
  readonly incomingBytes: number
  readonly outgoingBytes: number
  readonly connectionsPerSecond: number
  readonly incomingPacketsPerSecond: number
  readonly outgoingPacketsPerSecond: number
  readonly incomingBytesPerSecond: number
  readonly outgoingBytesPerSecond: number
}

/** A destination as the kernel has it. */
export interface ObservedIpvsDestination extends IpvsDestination {
  /** Established. */
  readonly activeConnections: number
  /** In any other state. */
  readonly inactiveConnections: number
  /** Clients that stay with it. */
  readonly persistentConnections: number
  readonly statistics: IpvsStatistics
}

/** A service as the kernel has it. */
export interface ObservedIpvsService extends IpvsService {
  readonly statistics: IpvsStatistics
  readonly destinations: readonly ObservedIpvsDestination[]
}

/**
 * One change. The kernel's refusals: `EEXIST` and `ESRCH` about services; `EEXIST` and `ENOENT`
 * about destinations; `ENOENT` for an unknown scheduler; `ERANGE` for thresholds and weights;
 * `EINVAL` for an address that is not unicast or of the other family, and for every IPv4
 * destination in a namespace that never had an IPv4 address.
 *
 * The kernel keeps deleted destinations for two minutes and looks through them at every addition:
 * after 10,000 deletions, additions are seventy times slower.
 */
export type IpvsOperation =
  | { readonly kind: 'newService' | 'setService'; readonly service: IpvsService }
  /** With its destinations. */
  | { readonly kind: 'deleteService'; readonly key: IpvsKey }
  | {
      readonly kind: 'newDestination' | 'setDestination'
      readonly key: IpvsKey
      readonly destination: IpvsDestination
    }
  /** Its connections live on. */
  | {
      readonly kind: 'deleteDestination'
      readonly key: IpvsKey
      readonly endpoint: IpvsEndpoint
    }

/** How long idle connections of all services are kept. */
export interface IpvsTimeouts {
  readonly tcpSeconds: number
  readonly tcpFinSeconds: number
  readonly udpSeconds: number
}

/** What the kernel says of its IPVS. */
export interface IpvsInformation {
  /** E.g. `1.2.1`. */
  readonly version: string
  /** Buckets of the connection table. */
  readonly connectionTableSize: number
}

/** The IPVS of one network namespace. Reads throw `KERNEL_READ_FAILED`. */
export interface Ipvs {
  /** Undefined when this kernel has no IPVS; loads its module where it can. */
  information(): Promise<IpvsInformation | undefined>
  /** All services of TCP, UDP, SCTP and of marks, also those of others, in no order. */
  observe(): Promise<readonly ObservedIpvsService[]>
  /**
   * Applies operations in order, a result for each; later ones are applied after a refusal too.
   * A refusal's message says in words what is wrong.
   */
  apply(operations: readonly IpvsOperation[]): Promise<readonly OperationResult[]>
  timeouts(): Promise<IpvsTimeouts>
  /** Changes timeouts; what is absent or 0 stays. @throws NavstarError `KERNEL_OPERATION_FAILED` */
  setTimeouts(changes: Partial<IpvsTimeouts>): Promise<void>
}

/** A service that is not persistent, but for what is given. */
export function ipvsService(
  given: Pick<IpvsService, 'key' | 'scheduler'> & Partial<IpvsService>,
): IpvsService {
  return {
    isPersistent: false,
    isOnePacket: false,
    schedulerFlags: 0,
    persistenceSeconds: 0,
    persistencePrefix: familyOfKey(given.key) === 4 ? 32 : 128,
    ...given,
  }
}

/** A destination that is masqueraded, weighs 1 and has no thresholds, but for what is given. */
export function ipvsDestination(given: IpvsEndpoint & Partial<IpvsDestination>): IpvsDestination {
  return { forwarding: 'masquerade', weight: 1, upperThreshold: 0, lowerThreshold: 0, ...given }
}

/** A key as text, equal for equal keys, e.g. `tcp 11.0.0.1:80`, `tcp [fd01:c::5]:80`, `mark4 7`. */
export function textOfIpvsKey(key: IpvsKey): string {
  if (key.kind === 'mark') return `mark${key.family} ${key.mark}`
  return `${key.protocol} ${textOfIpvsEndpoint(key)}`
}

/** An endpoint as text, equal for equal endpoints, e.g. `10.0.0.1:8080`. */
export function textOfIpvsEndpoint({ address, port }: IpvsEndpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** The family of a service's packets. */
export function familyOfKey(key: IpvsKey): Family {
  return key.kind === 'mark' ? key.family : familyOf(key.address)
}
