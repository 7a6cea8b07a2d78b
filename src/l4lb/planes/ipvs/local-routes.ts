/**
 * Routes that make VIPs this host's own: IPVS takes packets that are delivered locally, or leave
 * a local socket. One route for a whole block of named VIPs, one for each literal VIP outside of
 * them. Their preferred source is this node's address, so that a local client does not send from
 * the VIP, and nobody has to masquerade it.
 */
import type { LinkAddress, Route, RouteOperation } from '../../../kernel/routes.ts'
import { bitsOf, type Cidr, contains, formatCidr } from '../../../model/cidr.ts'
import { familyOf, type Ip } from '../../../model/ip.ts'

/** Marks a route as ours; another number than that of the `nftables` plane, beside which it may run. */
export const ROUTE_PROTOCOL = 118

const LOCAL_TABLE = 255
const TYPE_LOCAL = 2
const SCOPE_HOST = 254
const SCOPE_UNIVERSE = 0
/** In every namespace. **Source:** `include/net/flow.h` (`LOOPBACK_IFINDEX`) */
const LOOPBACK_INDEX = 1

/** What the routes follow from. */
export interface RouteGround {
  readonly ranges: readonly Cidr[]
  /** Addresses of services. */
  readonly vips: Iterable<Ip>
  readonly addresses: readonly LinkAddress[]
  readonly nodeIp: Ip
}

/** What {@link planRoutes} found and would do. */
export interface RoutePlan {
  readonly defects: readonly string[]
  readonly additions: readonly RouteOperation[]
  /** Only once the services are gone that need them. */
  readonly removals: readonly RouteOperation[]
}

/** The VIPs outside of the blocks that this host does not have by itself. */
export function literalVips({ ranges, vips, addresses }: Omit<RouteGround, 'nodeIp'>): Ip[] {
  const own = new Set(addresses.map(({ address }) => address))
  return [...new Set(vips)].filter(
    (vip) => !own.has(vip) && !ranges.some((range) => contains(range, vip)),
  )
}

/** The routes that should be there. A family of which this node has no address gets none. */
export function desiredRoutes(ground: RouteGround): Route[] {
  const literal = literalVips(ground).map((base): Cidr => {
    return { base, prefixLength: bitsOf(familyOf(base)) }
  })
  return [...ground.ranges, ...literal].flatMap((block): Route[] => {
    const family = familyOf(block.base)
    const source = sourceOf(family, ground)
    if (source === undefined) return []
    return [
      {
        destination: formatCidr(block),
        linkIndex: LOOPBACK_INDEX,
        preferredSource: source,
        table: LOCAL_TABLE,
        protocol: ROUTE_PROTOCOL,
        scope: family === 4 ? SCOPE_HOST : SCOPE_UNIVERSE,
        type: TYPE_LOCAL,
      },
    ]
  })
}

/** Compares routes with our mark; those of others are never touched. */
export function planRoutes(desired: readonly Route[], observed: readonly Route[]): RoutePlan {
  const ours = observed.filter(({ protocol }) => protocol === ROUTE_PROTOCOL)
  const missing = desired.filter((route) => !ours.some((held) => isSame(held, route)))
  const stale = ours.filter((held) => !desired.some((route) => isSame(held, route)))
  const isInTheWay = (held: Route) => missing.some((route) => leadsTo(held, route))
  return {
    defects: [
      ...missing.map(({ destination }) => `local route ${destination} is missing`),
      ...stale.map(({ destination }) => `local route ${destination} is not as wanted`),
    ],
    additions: [
      ...stale.filter(isInTheWay).map((route) => ({ kind: 'deleteRoute', route }) as const),
      ...missing.map((route) => ({ kind: 'addRoute', route }) as const),
    ],
    removals: stale
      .filter((held) => !isInTheWay(held))
      .map((route) => ({ kind: 'deleteRoute', route }) as const),
  }
}

/** The node's own address where the family fits, else the first global one on the same link. */
function sourceOf(family: 4 | 6, { addresses, nodeIp }: RouteGround): Ip | undefined {
  const own = addresses.find(({ address }) => address === nodeIp)
  if (own === undefined || familyOf(nodeIp) === family) return own?.address
  const other = addresses.find(
    ({ address, linkIndex, scope }) =>
      linkIndex === own.linkIndex && scope === SCOPE_UNIVERSE && familyOf(address) === family,
  )
  return other?.address
}

function leadsTo(left: Route, right: Route): boolean {
  return left.destination === right.destination && left.table === right.table
}

function isSame(left: Route, right: Route): boolean {
  return (
    leadsTo(left, right) &&
    left.linkIndex === right.linkIndex &&
    left.preferredSource === right.preferredSource &&
    left.type === right.type
  )
}
