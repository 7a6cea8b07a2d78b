/** Links, addresses and routes in memory, for tests, with the refusals of rtnetlink. */
import { isIpv4 } from '../../model/ip.ts'
import type { OperationResult } from '../operation.ts'
import type { Link, LinkAddress, Route, RouteOperation, RouteTables } from '../routes.ts'

/** What a namespace has at first. */
export interface FakeRouteState {
  readonly links: readonly Link[]
  readonly addresses: readonly LinkAddress[]
  readonly routes: readonly Route[]
}

const ERRNOS = { ESRCH: 3, EEXIST: 17, ENODEV: 19, EINVAL: 22, EADDRNOTAVAIL: 99 } as const

type Refusal = keyof typeof ERRNOS

/** The rtnetlink state of a namespace. */
export class FakeRouteTables implements RouteTables {
  #state: FakeRouteState

  constructor(state: FakeRouteState) {
    this.#state = state
  }

  /** Replaces parts of the state, as links that come and go do. */
  edit(changes: Partial<FakeRouteState>): void {
    this.#state = { ...this.#state, ...changes }
  }

  async links(): Promise<readonly Link[]> {
    return this.#state.links
  }

  async addresses(): Promise<readonly LinkAddress[]> {
    return this.#state.addresses
  }

  async routes(): Promise<readonly Route[]> {
    return this.#state.routes
  }

  async applyRoutes(operations: readonly RouteOperation[]): Promise<readonly OperationResult[]> {
    return operations.map((operation) => {
      const refusal = this.#run(operation)
      if (refusal === undefined) return { errno: 0, name: 'OK', applied: true }
      return { errno: ERRNOS[refusal], name: refusal, applied: false }
    })
  }

  #run(operation: RouteOperation): Refusal | undefined {
    switch (operation.kind) {
      case 'addRoute':
        return this.#addRoute(operation.route)
      case 'replaceRoute':
        this.#removeRoutes((route) => isSamePlace(route, operation.route))
        return this.#addRoute(operation.route)
      case 'deleteRoute':
        return this.#deleteRoute(operation.route)
      case 'addAddress':
        return this.#addAddress(operation.address)
      case 'deleteAddress':
        return this.#deleteAddress(operation.address)
      default:
        return operation satisfies never
    }
  }

  /** Two routes to one destination in one table differ by a priority, which navstar never gives. */
  #addRoute(route: Route): Refusal | undefined {
    const { links, addresses, routes } = this.#state
    if (route.linkIndex !== undefined && !links.some(({ index }) => index === route.linkIndex)) {
      return 'ENODEV'
    }
    const source = route.preferredSource
    if (source !== undefined && !addresses.some(({ address }) => address === source)) {
      return 'EINVAL'
    }
    if (routes.some((held) => isSamePlace(held, route))) return 'EEXIST'
    this.edit({ routes: [...routes, route] })
    return undefined
  }

  #deleteRoute(route: Route): Refusal | undefined {
    const isIt = (held: Route): boolean =>
      isSamePlace(held, route) &&
      held.linkIndex === route.linkIndex &&
      held.preferredSource === route.preferredSource &&
      held.protocol === route.protocol
    return this.#removeRoutes(isIt) ? undefined : 'ESRCH'
  }

  #addAddress(address: LinkAddress): Refusal | undefined {
    const { addresses } = this.#state
    if (addresses.some((held) => isSameAddress(held, address))) return 'EEXIST'
    this.edit({ addresses: [...addresses, address] })
    return undefined
  }

  /** IPv4 routes go with their source address; IPv6 ones only lose it. */
  #deleteAddress(address: LinkAddress): Refusal | undefined {
    const { addresses, routes } = this.#state
    const rest = addresses.filter((held) => !isSameAddress(held, address))
    if (rest.length === addresses.length) return 'EADDRNOTAVAIL'
    const isFromIt = (route: Route): boolean => route.preferredSource === address.address
    this.edit({
      addresses: rest,
      routes: isIpv4(address.address)
        ? routes.filter((route) => !isFromIt(route))
        : routes.map((route) => (isFromIt(route) ? withoutSource(route) : route)),
    })
    return undefined
  }

  #removeRoutes(isIt: (route: Route) => boolean): boolean {
    const rest = this.#state.routes.filter((route) => !isIt(route))
    const isFound = rest.length < this.#state.routes.length
    this.edit({ routes: rest })
    return isFound
  }
}

function isSamePlace(left: Route, right: Route): boolean {
  return left.destination === right.destination && left.table === right.table
}

function isSameAddress(left: LinkAddress, right: LinkAddress): boolean {
  return left.address === right.address && left.linkIndex === right.linkIndex
}

function withoutSource({ preferredSource, ...route }: Route): Route {
  return route
}
