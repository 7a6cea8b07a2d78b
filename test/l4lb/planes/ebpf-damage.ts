/** What others, and a daemon that died between two writes, do to the maps. */
import fc from 'fast-check'
import {
  decodeVipValue,
  encodeEndpoint,
  encodeMemberKey,
  encodeSlotKey,
  encodeVipKey,
  encodeWeight,
  SIZES,
  type VipValue,
} from '../../../src/l4lb/planes/ebpf/layout.ts'
import { PROGRAMS } from '../../../src/l4lb/planes/ebpf/plane.ts'
import type { Backend, Service } from '../../../src/model/vip.ts'
import { anyService } from '../services.ts'
import { type FakeEbpf, uint32, vipValue } from './fake-ebpf.ts'

/** A change of the kernel's state; `name` shows in counterexamples. */
export interface Damage {
  readonly name: string
  readonly inflict: (kernel: FakeEbpf) => void
}

const number = fc.oneof(fc.integer({ min: 0, max: 6 }), fc.constant(0xffff_ffff))
const mapName = fc.constantFrom('vips', 'slots', 'members')
const pick = fc.nat(50)

const deleted = fc.tuple(mapName, pick).map(
  ([map, index]): Damage => ({
    name: `delete entry ${index} of ${map}`,
    inflict: ({ contents }) => {
      const key = keyAt([...contents[map].entries.keys()], index)
      if (key !== undefined) contents[map].edit(key)
    },
  }),
)

const wrongSlots = fc.tuple(pick, number, number).map(
  ([index, set, slots]): Damage => ({
    name: `VIP ${index} has set ${set} with ${slots} slots`,
    inflict: ({ contents }) => {
      const key = keyAt([...contents.vips.entries.keys()], index)
      if (key !== undefined) contents.vips.edit(key, vipValue({ set, slots }))
    },
  }),
)

const wrongChoosing = fc.tuple(pick, fc.constantFrom('rr', 'maglev'), number, number).map(
  ([index, algorithm, affinitySeconds, heads]): Damage => ({
    name: `VIP ${index} is chosen by ${algorithm}, ${affinitySeconds} s, ${heads} heads`,
    inflict: ({ contents }) => {
      const [key, value] =
        [...contents.vips.entries][index % Math.max(1, contents.vips.entries.size)] ?? []
      if (key === undefined || value === undefined) return
      const { set = 0, slots = 0 } = decodeVipValue(Buffer.from(value, 'hex'), 0) ?? {}
      const changed = vipValue({
        set,
        slots,
        algorithm,
        affinitySeconds,
        heads,
      } as Partial<VipValue>)
      contents.vips.edit(new Uint8Array(Buffer.from(key, 'hex')), changed)
    },
  }),
)

const counted = anyService.map(
  (service): Damage => ({
    name: `measures and a cursor of ${service.protocol} ${service.address} ${service.port}`,
    inflict: ({ contents }) => {
      for (const [key] of memberEntries(service)) {
        contents.measures.edit(key, new Uint8Array(SIZES.measure))
      }
      contents.cursors.edit(encodeVipKey(service), new Uint8Array(SIZES.cursor))
    },
  }),
)

const copiedVip = fc.tuple(pick, anyService).map(
  ([index, service]): Damage => ({
    name: `VIP ${index} copied to ${service.protocol} ${service.address} ${service.port}`,
    inflict: ({ contents }) => {
      const value = keyAt([...contents.vips.entries.values()], index)
      if (value !== undefined) contents.vips.edit(encodeVipKey(service), value)
    },
  }),
)

const junkSlot = fc.tuple(number, number).map(
  ([set, slot]): Damage => ({
    name: `slot ${slot} of set ${set}`,
    inflict: ({ contents }) => {
      contents.slots.edit(encodeSlotKey(set, slot), encodeEndpoint(ANYWHERE))
    },
  }),
)

const members = anyService.map(
  (service): Damage => ({
    name: `members of ${service.protocol} ${service.address} ${service.port}`,
    inflict: ({ contents }) => {
      for (const [key, weight] of memberEntries(service)) contents.members.edit(key, weight)
    },
  }),
)

const wrongWeight = fc.tuple(pick, number).map(
  ([index, weight]): Damage => ({
    name: `member ${index} weighs ${weight}`,
    inflict: ({ contents }) => {
      const key = keyAt([...contents.members.entries.keys()], index)
      if (key !== undefined) contents.members.edit(key, encodeWeight(weight))
    },
  }),
)

const detached = fc.constantFrom(...PROGRAMS).map(
  (program): Damage => ({
    name: `detach ${program}`,
    inflict: ({ attached }) => void attached.delete(program),
  }),
)

const wrongRange = fc.nat(7).map(
  (index): Damage => ({
    name: `range ${index}`,
    inflict: ({ contents }) =>
      contents.ranges.edit(uint32(index), new Uint8Array(SIZES.rangeValue).fill(index)),
  }),
)

/** Any damage. */
export const anyDamage: fc.Arbitrary<Damage> = fc.oneof(
  deleted,
  wrongSlots,
  wrongChoosing,
  counted,
  copiedVip,
  junkSlot,
  members,
  wrongWeight,
  detached,
  wrongRange,
)

const ANYWHERE = { address: '10.66.6.6', port: 666, weight: 1 } as unknown as Backend

function memberEntries(service: Service): [Uint8Array, Uint8Array][] {
  return service.backends.map((backend) => [
    encodeMemberKey(encodeVipKey(service), backend),
    encodeWeight(backend.weight),
  ])
}

function keyAt(texts: readonly string[], index: number): Uint8Array | undefined {
  const text = texts[index % Math.max(1, texts.length)]
  return text === undefined ? undefined : new Uint8Array(Buffer.from(text, 'hex'))
}
