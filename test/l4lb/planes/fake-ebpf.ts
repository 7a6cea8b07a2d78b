/** What the `ebpf` plane needs of the kernel, in memory; planes come and go, it stays. */

import type { BpfMap } from '../../../src/kernel/bpf.ts'
import { FakeBpfContent, FakeBpfMap } from '../../../src/kernel/fake/bpf-map.ts'
import type { SocketTarget } from '../../../src/kernel/sockets.ts'
import {
  encodeVipValue,
  RANGE_LIMIT,
  SIZES,
  type VipValue,
} from '../../../src/l4lb/planes/ebpf/layout.ts'
import type { SocketMaps } from '../../../src/l4lb/planes/ebpf/open-sockets.ts'
import { type EbpfKernel, EbpfPlane } from '../../../src/l4lb/planes/ebpf/plane.ts'
import { type Cidr, parseCidr } from '../../../src/model/cidr.ts'
import type { Protocol } from '../../../src/model/port.ts'

/** The blocks of named VIPs in these tests. */
export const RANGES: readonly Cidr[] = ['11.0.0.0/8', 'fd01:c::/64'].map((text) => {
  const cidr = parseCidr(text)
  if (cidr === undefined) throw new Error(text)
  return cidr
})

/** Numbers as the maps hold them. */
export function uint32(...numbers: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(numbers).buffer)
}

/** struct vip of a VIP without options. */
export function vipValue(value: Partial<VipValue>): Uint8Array {
  const none = {
    drain: 'graceful',
    set: 0,
    slots: 0,
    firstHead: 0,
    heads: 0,
    affinitySeconds: 0,
    connectionLimit: 0,
  } as const
  return encodeVipValue({ ...none, algorithm: 'random', ...value })
}

/** The names of the maps. */
export const MAP_NAMES = [
  'vips',
  'slots',
  'members',
  'measures',
  'cursors',
  'ranges',
  'origins',
  'flows',
  'affinities',
  'connections',
] as const

type MapName = (typeof MAP_NAMES)[number]

/** The maps and links. */
export class FakeEbpf {
  readonly contents: Readonly<Record<MapName, FakeBpfContent>>
  readonly attached: Set<string> = new Set()
  /** Sockets that were destroyed. */
  readonly destroyed: (SocketTarget & { readonly protocol: Protocol })[] = []
  /** Attaching this program throws. */
  refusedProgram: string | undefined

  /** @param maxEntries of the maps of services */
  constructor(maxEntries: Partial<Record<MapName, number>> = {}) {
    const hash = (name: MapName, keySize: number, valueSize: number) =>
      new FakeBpfContent({ keySize, valueSize, maxEntries: maxEntries[name] ?? 1000 })
    this.contents = {
      vips: hash('vips', SIZES.vipKey, SIZES.vipValue),
      slots: hash('slots', SIZES.slotKey, SIZES.endpoint),
      members: hash('members', SIZES.memberKey, SIZES.memberValue),
      measures: hash('measures', SIZES.memberKey, SIZES.measure),
      cursors: hash('cursors', SIZES.vipKey, SIZES.cursor),
      origins: hash('origins', 32, SIZES.endpoint),
      flows: hash('flows', 32, SIZES.endpoint),
      affinities: hash('affinities', 32, 32),
      connections: hash('connections', 8, 56),
      ranges: new FakeBpfContent({
        keySize: SIZES.rangeKey,
        valueSize: SIZES.rangeValue,
        maxEntries: RANGE_LIMIT,
        kind: 'array',
      }),
    }
  }

  /** Handles of the maps that only the programs write. */
  socketMaps(): SocketMaps {
    const { origins, flows, affinities, connections } = this.#kernel().maps
    return { origins, flows, affinities, connections }
  }

  /** A plane as after a start of the daemon. */
  plane(): EbpfPlane {
    return new EbpfPlane(this.#kernel(), { ranges: RANGES })
  }

  #kernel(): EbpfKernel {
    const open = (name: MapName): BpfMap => new FakeBpfMap(this.contents[name])
    return {
      maps: {
        vips: open('vips'),
        slots: open('slots'),
        members: open('members'),
        measures: open('measures'),
        cursors: open('cursors'),
        origins: open('origins'),
        flows: open('flows'),
        affinities: open('affinities'),
        connections: open('connections'),
        ranges: open('ranges'),
      },
      abilities: { seesConnections: true, knowsClients: true, endsSockets: true },
      destroySockets: async (protocol, targets) => {
        this.destroyed.push(...targets.map((target) => ({ protocol, ...target })))
        return { sockets: targets.length, namespaces: 1 }
      },
      attach: async (program) => {
        if (program === this.refusedProgram) throw new Error('EPERM')
        this.attached.add(program)
      },
      isCurrent: async (program) => this.attached.has(program),
      linkState: async (program) => {
        if (!this.attached.has(program)) return undefined
        return { isAttached: true, programId: 1, tag: '0123456789abcdef' }
      },
      close: () => undefined,
    }
  }
}
