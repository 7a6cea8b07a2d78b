/** Planes wired as the daemon wires them, each in places of its own. */
import { mkdir } from 'node:fs/promises'
import type { HostPlaces } from '../src/demo/places/places.ts'
import { openNamespace } from '../src/kernel/namespace.ts'
import type { Plane, PlaneKind, PlaneOperation } from '../src/l4lb/plane.ts'
import { openEbpfKernel } from '../src/l4lb/planes/ebpf/kernel.ts'
import { EbpfPlane } from '../src/l4lb/planes/ebpf/plane.ts'
import { NftablesPlane } from '../src/l4lb/planes/nftables/plane.ts'
import type { Ip } from '../src/model/ip.ts'
import { type Service, serviceKeyOf } from '../src/model/vip.ts'
import { VIP_RANGE } from './synthetic.ts'

/** The planes that are measured. */
export const PLANES: readonly PlaneKind[] = ['ebpf', 'nftables']

/** Where a plane works: what of a host's places it needs. */
export type PlanePlaces = Pick<HostPlaces, 'namespacePath' | 'cgroup' | 'pinDirectory'>

/** Opens a plane for the host's cgroup, or in its namespace. */
export async function openPlaneAt(
  kind: PlaneKind,
  { namespacePath, cgroup, pinDirectory }: PlanePlaces,
  nodeIp?: Ip,
): Promise<Plane> {
  const ranges = [VIP_RANGE]
  if (kind === 'nftables') {
    return new NftablesPlane(await openNamespace(namespacePath), { ranges, nodeIp: () => nodeIp })
  }
  await mkdir(pinDirectory, { recursive: true, mode: 0o700 })
  return new EbpfPlane(await openEbpfKernel({ cgroup, pinDirectory }), { ranges })
}

/** Makes the plane whole and serves the services. */
export async function fill(plane: Plane, services: Iterable<Service>): Promise<void> {
  const { defects } = await plane.observe()
  const puts = [...services].map(
    (service): PlaneOperation => ({ kind: 'put', key: serviceKeyOf(service), service }),
  )
  const repair: PlaneOperation = { kind: 'repair', defects }
  const outcomes = await plane.apply([repair, ...puts])
  const failed = outcomes.find(({ error }) => error !== undefined)
  if (failed?.error !== undefined) throw failed.error
}
