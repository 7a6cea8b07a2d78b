/** Switches the plane of a rig under connections that stay open and new ones that come. */
import { systemClock } from '../../src/base/clock.ts'
import { Table } from '../../src/base/table.ts'
import { openNamespace } from '../../src/kernel/namespace.ts'
import type { PlaneKind } from '../../src/l4lb/plane.ts'
import { EbpfRemains } from '../../src/l4lb/planes/ebpf/remains.ts'
import { IpvsRemains } from '../../src/l4lb/planes/ipvs/remains.ts'
import { NftablesRemains } from '../../src/l4lb/planes/nftables/remains.ts'
import type { Remains } from '../../src/l4lb/planes/remains.ts'
import { SwitchablePlane } from '../../src/l4lb/planes/switchable.ts'
import { trackOpen } from '../../src/l4lb/planes/track-open.ts'
import { type Service, type ServiceKey, serviceKeyOf } from '../../src/model/vip.ts'
import type { PlacePaths } from './network.ts'
import { openPlaneAt } from './open-plane.ts'
import type { Rig } from './rig.ts'

/** What a plane left on the host of a rig. */
export async function openRemainsAt(
  kind: PlaneKind,
  places: PlacePaths,
  services: Iterable<Service> = [],
): Promise<Remains> {
  if (kind === 'ebpf') {
    const track = () => trackOpen(services, places.hostNamespace)
    return new EbpfRemains(places.pinDirectory, track)
  }
  const namespace = await openNamespace(places.hostNamespace)
  const vips = () => [...services].map(serviceKeyOf)
  return kind === 'ipvs' ? new IpvsRemains(namespace) : new NftablesRemains(namespace, vips)
}

/** Retires what a plane left there. @returns whether anything is left */
export async function retireAt(
  kind: PlaneKind,
  places: PlacePaths,
  services: Iterable<Service>,
): Promise<boolean> {
  const remains = await openRemainsAt(kind, places, services)
  try {
    return await remains.retire()
  } finally {
    remains.close()
  }
}

/** Sweeps what a plane left there. @returns whether nothing is left */
export async function sweepAt(kind: PlaneKind, places: PlacePaths): Promise<boolean> {
  const remains = await openRemainsAt(kind, places)
  try {
    return await remains.sweep()
  } finally {
    remains.close()
  }
}

/** A rig whose plane is exchanged. */
export class SwitchedRig {
  readonly rig: Rig
  readonly plane: SwitchablePlane
  readonly #services: Table<ServiceKey, Service> = new Table()

  /** Takes the rig's plane over. */
  constructor(rig: Rig) {
    this.rig = rig
    this.plane = new SwitchablePlane(rig.plane, systemClock)
    this.plane.onChange(() => undefined)
    rig.adopt(this.plane)
  }

  /** Serves these and no others. */
  async serve(...services: readonly Service[]): Promise<void> {
    await this.rig.put(...services)
    this.#services.replace(new Map(services.map((each) => [serviceKeyOf(each), each])))
  }

  /** Serves by another plane. */
  async switchTo(kind: PlaneKind): Promise<void> {
    const { paths } = this.rig.places
    await this.plane.switchTo({
      next: await openPlaneAt(kind, paths),
      desired: () => this.#services.snapshot,
      retire: (old) => retireAt(old, paths, this.#services.snapshot.rows.values()),
      signal: new AbortController().signal,
    })
  }
}
