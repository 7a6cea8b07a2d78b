/** One plane on a network of its own, with servers and clients in every place. */
import type { Plane, PlaneKind, PlaneOperation } from '../../src/l4lb/plane.ts'
import { type Protocol, toPort } from '../../src/model/port.ts'
import { type Service, type ServiceKey, serviceKeyOf } from '../../src/model/vip.ts'
import { masqueradeForIpvs } from './masquerade.ts'
import { ADDRESSES, openNetwork, type Places, removeNetwork, type Site } from './network.ts'
import { ip, openPlaneAt, planFor, reconcilePlane, required } from './open-plane.ts'
import type { Destination } from './traffic.ts'
import { TrafficAgent } from './traffic-agent.ts'

/** All planes, in the order in which a daemon prefers them; tests of those that the kernel lacks are skipped. */
export const PLANES: readonly PlaneKind[] = ['ebpf', 'nftables', 'ipvs']

/** A backend in brief: address, port and weight (default 1). */
export type BackendInBrief = readonly [address: string, port: number, weight?: number]

/** A place that can send: `outsider` is in container 2, but not in the cgroup of the host. */
export type ClientSite = Site | 'outsider'

/** What a rig is made of. */
export interface RigOptions {
  readonly kind: PlaneKind
  /** See {@link openNetwork}; default: it sees only what is routed. */
  readonly seesBridged?: boolean
}

/** A plane under test with everything around it. */
export class Rig {
  readonly kind: PlaneKind
  readonly places: Places
  readonly #agents = new Map<ClientSite, TrafficAgent>()
  readonly #desired = new Map<ServiceKey, Service>()
  #plane: Plane | undefined

  private constructor(kind: PlaneKind, places: Places) {
    this.kind = kind
    this.places = places
  }

  /** Makes the network and opens the plane. */
  static async open({ kind, seesBridged = false }: RigOptions): Promise<Rig> {
    const rig = new Rig(kind, await openNetwork(seesBridged))
    if (kind === 'ipvs') await masqueradeForIpvs(rig.places)
    rig.#plane = await rig.openPlane()
    return rig
  }

  get plane(): Plane {
    return required(this.#plane)
  }

  /** Opens one more instance of the plane; the caller closes it, or gives it to {@link Rig.adopt}. */
  async openPlane(): Promise<Plane> {
    const plane = await openPlaneAt(this.kind, this.places.paths)
    plane.onChange(() => undefined) // so that it listens, as the daemon does
    return plane
  }

  /** Goes on with another instance. */
  adopt(plane: Plane): void {
    this.#plane = plane
  }

  /** The traffic program of a place. Hosts and containers are in the cgroup, `remote` is not. */
  at(site: ClientSite): TrafficAgent {
    const found = this.#agents.get(site)
    if (found !== undefined) return found
    const isOutside = site === 'outsider' || site === 'remote'
    const agent = new TrafficAgent({
      namespace: this.places.namespacePath(site === 'outsider' ? 'c2' : site),
      cgroup: isOutside ? this.places.outside : this.places.inside,
    })
    this.#agents.set(site, agent)
    return agent
  }

  /** Serves a port in a place, TCP and UDP, both families; the servers' name is `site:port`. */
  async serve(site: Site, ...ports: readonly number[]): Promise<void> {
    for (const port of ports) {
      for (const address of Object.values(ADDRESSES[site])) {
        await this.serveAt(site, { address, port })
      }
    }
  }

  /** The same on one address. */
  async serveAt(
    site: Site,
    target: { readonly address: string; readonly port: number },
  ): Promise<void> {
    const name = `${site}:${target.port}`
    for (const protocol of ['tcp', 'udp'] as const) {
      await this.at(site).call({ call: 'serve', protocol, name, ...target })
    }
  }

  /** Makes these services exist with their backends, beside those that are there. */
  async put(...services: readonly Service[]): Promise<void> {
    for (const service of services) this.#desired.set(serviceKeyOf(service), service)
    await this.reconcile()
  }

  /** Removes services. */
  async remove(...services: readonly Service[]): Promise<void> {
    for (const service of services) this.#desired.delete(serviceKeyOf(service))
    await this.reconcile()
  }

  /** Observes and tells what is to do. */
  plan(plane: Plane = this.plane): Promise<PlaneOperation[]> {
    return planFor(plane, this.#desired.values())
  }

  /** Makes the kernel as wanted. @throws NavstarError of the first operation that failed */
  reconcile(): Promise<void> {
    return reconcilePlane(this.plane, this.#desired.values())
  }

  async close(): Promise<void> {
    for (const agent of this.#agents.values()) await agent.close()
    await this.#plane?.close()
    await removeNetwork(this.places)
  }
}

/** A service from text and numbers. */
export function service(
  protocol: Protocol,
  [address, port]: readonly [string, number],
  backends: readonly BackendInBrief[],
): Service {
  return {
    protocol,
    address: ip(address),
    port: required(toPort(port)),
    backends: backends.map(([backendAddress, backendPort, weight = 1]) => ({
      address: ip(backendAddress),
      port: required(toPort(backendPort)),
      weight,
    })),
  }
}

/** A TCP destination. */
export function tcp(address: string, port: number): Destination {
  return { transport: 'tcp', address, port }
}

/** A UDP destination; the socket is connected to it or not. */
export function udp(address: string, port: number, isConnected = true): Destination {
  return { transport: isConnected ? 'udp connected' : 'udp unconnected', address, port }
}
