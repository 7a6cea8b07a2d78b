import type { NavstarError } from '../base/error.ts'
import type { Backend, Service, ServiceKey } from '../model/vip.ts'
import type { VipOptionName } from '../model/vip-options.ts'

/** The kernel mechanisms that can serve VIPs. */
export type PlaneKind = 'ebpf' | 'nftables' | 'ipvs'

/** A change of what a plane serves. */
export type PlaneOperation =
  /** Restores what the plane itself consists of: programs, tables, chains, routes. */
  | { readonly kind: 'repair'; readonly defects: readonly string[] }
  /** Makes the service exist with exactly these backends. */
  | { readonly kind: 'put'; readonly key: ServiceKey; readonly service: Service }
  | { readonly kind: 'remove'; readonly key: ServiceKey }

/** What became of one operation; without an error it is done. */
export interface OperationOutcome {
  readonly operation: PlaneOperation
  readonly error?: NavstarError
}

/** What the kernel serves, as read. */
export interface PlaneObservation {
  /** Each service in the plane's rendering; a damaged one renders as no desired service does. */
  readonly services: ReadonlyMap<ServiceKey, string>
  /** What is missing or wrong in the plane's own structure. */
  readonly defects: readonly string[]
}

/** A change that was not ours. */
export interface PlaneChange {
  /** E.g. `nftables navstar`, `link eth1`. */
  readonly subject: string
  /** True for the plane's own objects; false for what they are made from, such as links. */
  readonly isOwn: boolean
}

/** An option that a plane does not carry out, with the reason. */
export interface UnsupportedOption {
  readonly name: VipOptionName
  /** E.g. `it does not know how many connections are open`. */
  readonly reason: string
}

/**
 * What the kernel counted of one backend of a service since the plane has it; an absent number is not
 * counted. A backend that this node has not used may be absent altogether.
 */
export interface BackendStatistics extends Pick<Backend, 'address' | 'port'> {
  /** New connections, or flows of UDP. */
  readonly connections?: number
  readonly activeConnections?: number
  /** Connections that wait to be established. */
  readonly pendingConnections?: number
  /** Connections that were never established. */
  readonly failures?: number
  readonly retransmits?: number
  /** Of connections that ended; `ipvs` counts open ones too, and headers. */
  readonly bytesToBackend?: number
  readonly bytesFromBackend?: number
  /** How many connections took more than 2ⁿ⁻¹ and up to 2ⁿ µs to be established, by n from 0. */
  readonly connectTimes?: readonly number[]
}

/** Statistics by service. */
export type PlaneStatistics = ReadonlyMap<ServiceKey, readonly BackendStatistics[]>

/** One mechanism that serves VIPs. All planes pass one conformance suite. */
export interface Plane {
  readonly kind: PlaneKind
  /**
   * What this plane holds of a service, as text, e.g. `10.0.0.1:80, 10.0.0.2:80 draining`. Two
   * services with the same rendering need no change.
   */
  render(service: Service): string
  /** Options of the service that it is served without. */
  unsupported(service: Service): readonly UnsupportedOption[]
  /** Reads the kernel's counters. @throws NavstarError `KERNEL_READ_FAILED`, `BPF_MAP_FAILED` */
  statistics(): Promise<PlaneStatistics>
  /** Reads the kernel. @throws NavstarError `KERNEL_READ_FAILED`, `BPF_MAP_FAILED` */
  observe(): Promise<PlaneObservation>
  /** Carries out operations, an outcome for each; a failed one does not stop the others. */
  apply(operations: readonly PlaneOperation[]): Promise<readonly OperationOutcome[]>
  /** False when the kernel is found to differ from the last observation and our writes since. */
  audit(): Promise<boolean>
  /** Calls back after someone else changed what the plane reads. */
  onChange(listener: (change: PlaneChange) => void): void
  /** Ends this process' part; the data path stays. */
  close(): Promise<void>
}
