/**
 * Links, addresses and routes as plain data.
 *
 * **Source:** `include/uapi/linux/rtnetlink.h`
 */
import type { Ip } from '../model/ip.ts'
import type { OperationResult } from './operation.ts'

/** A network device. */
export interface Link {
  readonly index: number
  readonly name: string
  /** `veth`, `bridge`, …; absent for physical devices and lo. */
  readonly kind?: string
  readonly isUp: boolean
  readonly isLoopback: boolean
  readonly mtu: number
}

/** An address of a link. */
export interface LinkAddress {
  readonly linkIndex: number
  readonly address: Ip
  readonly prefixLength: number
  /** IPv4 only, starts with the link's name, e.g. `lo:navstar`. */
  readonly label?: string
  readonly scope: number
}

/** A route; only what navstar writes or compares. */
export interface Route {
  /** CIDR, e.g. `11.0.0.0/8`. */
  readonly destination: string
  readonly gateway?: string
  readonly linkIndex?: number
  readonly preferredSource?: string
  readonly table: number
  readonly protocol: number
  readonly scope: number
  readonly type: number
}

/** One change of links, addresses or routes. */
export type RouteOperation =
  | { readonly kind: 'addRoute' | 'replaceRoute' | 'deleteRoute'; readonly route: Route }
  | { readonly kind: 'addAddress' | 'deleteAddress'; readonly address: LinkAddress }

/** The rtnetlink state of one network namespace. */
export interface RouteTables {
  links(): Promise<readonly Link[]>
  addresses(): Promise<readonly LinkAddress[]>
  routes(): Promise<readonly Route[]>
  /** Runs in order; later operations run after a failed one too. */
  applyRoutes(operations: readonly RouteOperation[]): Promise<readonly OperationResult[]>
}
