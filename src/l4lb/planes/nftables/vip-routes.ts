/**
 * Routes to the VIP blocks: a packet to a VIP needs one to be looked up before it is translated,
 * and takes its source address from it. They lead to the link that has this node's address; an
 * untranslated packet is rejected before it leaves.
 */
import type { LinkAddress, Route, RouteOperation } from '../../../kernel/routes.ts'
import { type Cidr, formatCidr } from '../../../model/cidr.ts'
import { familyOf, type Ip } from '../../../model/ip.ts'

/** Marks a route as ours. Numbers above 127 are registered; see /etc/iproute2/rt_protos. */
const ROUTE_PROTOCOL = 117

const MAIN_TABLE = 254
const TYPE_UNICAST = 1
const SCOPE_LINK = 253
const SCOPE_UNIVERSE = 0

/** What {@link planRoutes} found and would do. */
export interface RoutePlan {
  readonly defects: readonly string[]
  readonly operations: readonly RouteOperation[]
}

/** The routes that should be there: one per block for whose family this node has an address. */
export function desiredRoutes(
  ranges: readonly Cidr[],
  addresses: readonly LinkAddress[],
  nodeIp: Ip,
): Route[] {
  return ranges.flatMap((range): Route[] => {
    const family = familyOf(range.base)
    const source = sourceOf(family, addresses, nodeIp)
    if (source === undefined) return []
    return [
      {
        destination: formatCidr(range),
        linkIndex: source.linkIndex,
        preferredSource: source.address,
        table: MAIN_TABLE,
        protocol: ROUTE_PROTOCOL,
        scope: family === 4 ? SCOPE_LINK : SCOPE_UNIVERSE,
        type: TYPE_UNICAST,
      },
    ]
  })
}

/**
 * Compares routes with our mark. Others are never touched: a foreign route to the same block does
 * the same service, so ours is not added beside it.
 */
export function planRoutes(desired: readonly Route[], observed: readonly Route[]): RoutePlan {
  const ours = observed.filter(({ protocol }) => protocol === ROUTE_PROTOCOL)
  const foreign = observed.filter(({ protocol }) => protocol !== ROUTE_PROTOCOL)
  const missing = desired.filter(
    (route) =>
      !ours.some((held) => isSame(held, route)) &&
      !foreign.some((held) => leadsTo(held, route) && held.type === route.type),
  )
  const stale = ours.filter((held) => !desired.some((route) => isSame(held, route)))
  return {
    defects: [
      ...missing.map(({ destination }) => `route ${destination} is missing`),
      ...stale.map(({ destination }) => `route ${destination} is not as wanted`),
    ],
    operations: [
      ...stale.map((route) => ({ kind: 'deleteRoute', route }) as const),
      ...missing.map((route) => ({ kind: 'addRoute', route }) as const),
    ],
  }
}

/** The node's own address where the family fits, else the first global one on the same link. */
function sourceOf(
  family: 4 | 6,
  addresses: readonly LinkAddress[],
  nodeIp: Ip,
): LinkAddress | undefined {
  const own = addresses.find(({ address }) => address === nodeIp)
  if (own === undefined || familyOf(nodeIp) === family) return own
  return addresses.find(
    ({ address, linkIndex, scope }) =>
      linkIndex === own.linkIndex && scope === SCOPE_UNIVERSE && familyOf(address) === family,
  )
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
