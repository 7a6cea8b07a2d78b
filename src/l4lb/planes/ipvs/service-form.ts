/**
 * A service as IPVS has it, and back.
 *
 * IPVS objects have no comment. What is ours is told by a flag of the service that no scheduler of
 * the kernel reads. What lives on only for its open connections is told by values that mean
 * nothing to an object that takes no new ones.
 *
 * **Source:** `include/uapi/linux/ip_vs.h` (`IP_VS_SVC_F_SCHED3`), `net/netfilter/ipvs/ip_vs_mh.c`
 */
import {
  type IpvsDestination,
  type IpvsEndpoint,
  type IpvsService,
  ipvsDestination,
  ipvsService,
  type ObservedIpvsService,
  textOfIpvsEndpoint,
} from '../../../kernel/ipvs.ts'
import { toPort } from '../../../model/port.ts'
import type { Backend, Service, ServiceAddress, ServiceKey } from '../../../model/vip.ts'
import { serviceKeyOf } from '../../../model/vip.ts'
import type { Algorithm } from '../../../model/vip-options.ts'
import { renderBackends, renderDamaged } from '../render.ts'

/** A service with its destinations by their text. */
export interface ServiceForm {
  readonly service: IpvsService
  readonly destinations: ReadonlyMap<string, IpvsDestination>
}

/** The scheduler's third flag: `flag-3` in ipvsadm. */
const OURS = 4

/** The flags of a service that is not wanted any more, but for its open connections. */
const LEAVING = OURS | 2

/** `mh-fallback`: who drew a destination that drains goes on to the next, rather than nowhere. */
const FALLBACK = 1

/** The upper threshold of a destination that was removed, but for its open connections. */
const LEAVING_THRESHOLD = 0x7fffffff

/** The algorithms that the kernel has a scheduler for; `wrr` gives each its share too. */
const SCHEDULERS: Readonly<Partial<Record<Algorithm, string>>> = {
  random: 'wrr',
  rr: 'wrr',
  'least-conn': 'wlc',
  maglev: 'mh',
}

/** What the plane carries out. */
export const IPVS_ALGORITHMS = Object.keys(SCHEDULERS) as readonly Algorithm[]

/** Nobody listens there: tcpmux was given up long ago. **Source:** RFC 7805 §2 */
const REFUSING_PORT = 1

/** What IPVS must hold for the service. */
export function formOf(service: Service): ServiceForm {
  const destinations = service.backends.map(({ address, port, weight }) =>
    ipvsDestination({ address, port, weight }),
  )
  return withRefusal({
    service: serviceOf(service),
    destinations: byText(destinations),
  })
}

/**
 * Where nobody takes a TCP connection it is sent to the VIP itself, which is this host, at a closed
 * port: that resets it. IPVS alone would answer by ICMP, which the kernel sends seldom, and IPv6
 * ignores while connect() holds its socket: the client then waits for a second.
 */
function withRefusal({ service, destinations }: ServiceForm): ServiceForm {
  const { key } = service
  const isTaken = [...destinations.values()].some(({ weight }) => weight > 0)
  if (key.kind === 'mark' || key.protocol !== 'tcp' || isTaken) return { service, destinations }
  const refusal = ipvsDestination({ address: key.address, port: REFUSING_PORT })
  return {
    service,
    destinations: new Map([...destinations, [textOfIpvsEndpoint(refusal), refusal]]),
  }
}

/** Whether it is there only to refuse connections. */
export function isRefusal({ key }: IpvsService, { address, port }: IpvsEndpoint): boolean {
  return key.kind === 'address' && address === key.address && port === REFUSING_PORT
}

function serviceOf({ protocol, address, port, options }: Service): IpvsService {
  const scheduler = SCHEDULERS[options?.algorithm ?? 'random'] ?? 'wrr'
  const seconds = options?.affinitySeconds
  return ipvsService({
    key: { kind: 'address', protocol, address, port },
    scheduler,
    schedulerFlags: scheduler === 'mh' ? OURS | FALLBACK : OURS,
    ...(seconds !== undefined && { isPersistent: true, persistenceSeconds: seconds }),
  })
}

/** The form of a service that takes no new connection: it goes once it has none. */
export function leavingForm({ service, destinations }: ServiceForm): ServiceForm {
  const members = [...destinations].filter(([, each]) => !isRefusal(service, each))
  return withRefusal({
    service: ipvsService({ key: service.key, scheduler: 'wrr', schedulerFlags: LEAVING }),
    destinations: new Map(members.map(([text, destination]) => [text, leaving(destination)])),
  })
}

/** The same destination without new connections, and no longer one of its service. */
export function leaving(destination: IpvsDestination): IpvsDestination {
  return { ...destination, weight: 0, upperThreshold: LEAVING_THRESHOLD }
}

/** Whether it only waits for its connections to end. */
export function isLeaving({ weight, upperThreshold }: IpvsDestination): boolean {
  return weight === 0 && upperThreshold === LEAVING_THRESHOLD
}

/** Whether the service only waits for its connections to end. */
export function isLeavingService({ schedulerFlags }: IpvsService): boolean {
  return schedulerFlags === LEAVING
}

/** The address of a service that carries our mark; undefined for those of others. */
export function ownAddress({ key, schedulerFlags }: IpvsService): ServiceAddress | undefined {
  if ((schedulerFlags & OURS) === 0 || key.kind === 'mark') return undefined
  const { protocol, address } = key
  const port = toPort(key.port)
  return port === undefined || protocol === 'sctp' ? undefined : { protocol, address, port }
}

/** The key of a service that carries our mark. */
export function ownKey(service: IpvsService): ServiceKey | undefined {
  const address = ownAddress(service)
  return address && serviceKeyOf(address)
}

/** A service of the kernel without its counters. */
export function formOfObserved({
  destinations,
  statistics,
  ...service
}: ObservedIpvsService): ServiceForm {
  return {
    service,
    destinations: new Map(
      destinations.map((each) => {
        const { address, port, forwarding, weight, upperThreshold, lowerThreshold } = each
        const plain = { address, port, forwarding, weight, upperThreshold, lowerThreshold }
        return [textOfIpvsEndpoint(each), plain]
      }),
    ),
  }
}

/** A service as text, e.g. `10.0.0.1:80, 10.0.0.2:80 ×3; mh; affinity 60 s`. */
export function renderForm({ service, destinations }: ServiceForm): string {
  const present = [...destinations.values()].filter((each) => !isLeaving(each))
  const odd = present.find((each) => !isPlain(each)) ?? (isOdd(service) ? service : undefined)
  if (odd !== undefined) return renderDamaged(JSON.stringify(odd))
  const members = present.filter((each) => !isRefusal(service, each))
  const { size } = withRefusal({ service, destinations: byText(members) }).destinations
  if (size !== present.length) return renderDamaged('it refuses connections when it should not')
  const { scheduler, isPersistent, persistenceSeconds } = service
  return [
    renderBackends(members.flatMap(backendOf)),
    ...(scheduler === 'wrr' ? [] : [scheduler]),
    ...(isPersistent ? [`affinity ${persistenceSeconds} s`] : []),
  ].join('; ')
}

function byText(destinations: readonly IpvsDestination[]): Map<string, IpvsDestination> {
  return new Map(destinations.map((each) => [textOfIpvsEndpoint(each), each]))
}

/** Nothing for a destination without a port, which is not plain. */
function backendOf({ address, port: number, weight }: IpvsDestination): Backend[] {
  const port = toPort(number)
  return port === undefined ? [] : [{ address, port, weight }]
}

function isPlain({ port, forwarding, upperThreshold, lowerThreshold }: IpvsDestination): boolean {
  return port > 0 && forwarding === 'masquerade' && upperThreshold === 0 && lowerThreshold === 0
}

/** Whether some field is none that we ever write, and the rendering does not show it. */
function isOdd(service: IpvsService): boolean {
  const { key, scheduler, schedulerFlags, isOnePacket, persistencePrefix } = service
  const flags = scheduler === 'mh' ? OURS | FALLBACK : OURS
  const { persistencePrefix: prefix } = ipvsService({ key, scheduler })
  return schedulerFlags !== flags || isOnePacket || persistencePrefix !== prefix
}
