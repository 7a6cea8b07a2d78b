import type { Brand } from './brand.ts'
import { type Ip, parseIp } from './ip.ts'
import type { Port, Protocol } from './port.ts'
import type { VipOptions } from './vip-options.ts'

/** A VIP that has a name; its address comes from the address plan. */
export interface NamedVip {
  readonly kind: 'named'
  /** Mangled DNS label(s) of the VIP, e.g. `web` or `api.hello`. */
  readonly label: string
  /** The raw label text, e.g. `/web`; distinct raw labels can share one mangled name. */
  readonly rawLabel: string
  /** The framework's name as Mesos gives it, e.g. `marathon`. */
  readonly framework: string
  /** Name below the zone, e.g. `web.marathon`. */
  readonly name: string
}

/** A VIP that names its own address. */
export interface AddressVip {
  readonly kind: 'address'
  readonly address: Ip
}

/** What a VIP label points at. */
export type Vip = NamedVip | AddressVip

/** Where clients connect: address, port and protocol of one service. */
export interface ServiceAddress {
  readonly address: Ip
  readonly port: Port
  readonly protocol: Protocol
}

/** Why a task takes no new connections; `unchecked`: its health check has no result yet. */
export type DrainReason = 'killing' | 'unhealthy' | 'unchecked'

/** All reasons. */
export const DRAIN_REASONS: readonly DrainReason[] = ['killing', 'unhealthy', 'unchecked']

/** A server of a VIP. */
export interface Backend {
  readonly address: Ip
  readonly port: Port
  /** Share of new connections; 0 drains: open connections go on, no new ones come. */
  readonly weight: number
  /** Why its weight is 0, where its node says so, or `doubted`: its node is silent. */
  readonly drainReason?: DrainReason | 'doubted'
  /** How near it is, where its service asks for locality; absent: neither. */
  readonly near?: 'node' | 'zone'
}

/** A service as a data plane must serve it. Backends are sorted and distinct. */
export interface Service extends ServiceAddress {
  /** Name below the zone for named VIPs, e.g. `web.marathon`. */
  readonly name?: string
  /** The name has another address now: this one is served for what still knows it. */
  readonly isFormer?: true
  readonly backends: readonly Backend[]
  /** What its tasks ask for; absent when nothing. */
  readonly options?: VipOptions
}

/** Identity of a service: `tcp/11.0.0.37/80`. */
export type ServiceKey = Brand<string, 'ServiceKey'>

/** The key of a service. */
export function serviceKeyOf(service: ServiceAddress): ServiceKey {
  return `${service.protocol}/${service.address}/${service.port}` as ServiceKey
}

/** Takes a service key apart. */
export function parseServiceKey(key: ServiceKey): ServiceAddress {
  const [protocol = '', address = '', port = ''] = key.split('/')
  return {
    protocol: protocol as Protocol,
    address: (parseIp(address) ?? address) as Ip,
    port: Number(port) as Port,
  }
}

/** The text of an endpoint, brackets around IPv6: `10.0.0.1:80`, `[fd01:c::5]:80`. */
export function formatEndpoint(endpoint: { readonly address: Ip; readonly port: number }): string {
  const isIpv6 = endpoint.address.includes(':')
  return isIpv6 ? `[${endpoint.address}]:${endpoint.port}` : `${endpoint.address}:${endpoint.port}`
}
