/** Opens planes on the host of a rig, and brings them to what is wanted. */

import { openNamespace } from '../../src/kernel/namespace.ts'
import { planOperations } from '../../src/l4lb/plan.ts'
import type { Plane, PlaneKind, PlaneOperation } from '../../src/l4lb/plane.ts'
import { openEbpfKernel } from '../../src/l4lb/planes/ebpf/kernel.ts'
import { EbpfPlane } from '../../src/l4lb/planes/ebpf/plane.ts'
import { IpvsPlane } from '../../src/l4lb/planes/ipvs/plane.ts'
import { NftablesPlane } from '../../src/l4lb/planes/nftables/plane.ts'
import { type Cidr, parseCidr } from '../../src/model/cidr.ts'
import { type Ip, parseIp } from '../../src/model/ip.ts'
import { type Service, serviceKeyOf } from '../../src/model/vip.ts'
import { ADDRESSES, type PlacePaths } from './network.ts'

/** The blocks of named VIPs. */
export const RANGES: readonly Cidr[] = ['11.0.0.0/8', 'fd01:c::/64'].map((text) =>
  required(parseCidr(text)),
)

/** Opens a plane on the host of a rig. */
export async function openPlaneAt(kind: PlaneKind, places: PlacePaths): Promise<Plane> {
  if (kind === 'nftables') {
    const namespace = await openNamespace(places.hostNamespace)
    return new NftablesPlane(namespace, { ranges: RANGES, nodeIp: () => ip(ADDRESSES.host[4]) })
  }
  if (kind === 'ipvs') {
    const namespace = await openNamespace(places.hostNamespace)
    return new IpvsPlane(namespace, { ranges: RANGES, nodeIp: () => ip(ADDRESSES.host[4]) })
  }
  const { inside: cgroup, pinDirectory } = places
  return new EbpfPlane(await openEbpfKernel({ cgroup, pinDirectory }), { ranges: RANGES })
}

/** What is to do so that the plane serves these services and no others. */
export async function planFor(
  plane: Plane,
  services: Iterable<Service>,
): Promise<PlaneOperation[]> {
  const desired = new Map([...services].map((service) => [serviceKeyOf(service), service]))
  return planOperations({ desired, observed: await plane.observe(), plane, mayPrune: true })
}

/** Does it. @throws NavstarError of the first operation that failed */
export async function reconcilePlane(plane: Plane, services: Iterable<Service>): Promise<void> {
  const outcomes = await plane.apply(await planFor(plane, services))
  for (const { error } of outcomes) if (error !== undefined) throw error
}

/** The address of this text. */
export function ip(text: string): Ip {
  return required(parseIp(text))
}

/** The value, which must be there. */
export function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a rig lacks what it needs')
  return value
}
