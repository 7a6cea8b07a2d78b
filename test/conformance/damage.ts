/** What others can do to a plane's kernel objects behind its back. */
import { rm } from 'node:fs/promises'
import { run } from '../../src/demo/run.ts'
import { type BpfMap, openPinnedMap } from '../../src/kernel/bpf.ts'
import type { PlaneKind } from '../../src/l4lb/plane.ts'
import { LAYOUT_VERSION } from '../../src/l4lb/planes/ebpf/kernel.ts'
import {
  decodeVipValue,
  encodeEndpoint,
  encodeMemberKey,
  encodeSlotKey,
  encodeVipKey,
  encodeVipValue,
  encodeWeight,
  SIZES,
  type VipValue,
} from '../../src/l4lb/planes/ebpf/layout.ts'
import type { Service } from '../../src/model/vip.ts'
import { IPVS_DAMAGES } from './ipvs-damage.ts'
import { type Rig, service } from './rig.ts'

/** The VIP that single entries are taken from. */
export const VICTIM: Service = service('tcp', ['11.4.0.1', 80], [])

/** One kind of damage. */
export interface Damage {
  readonly what: string
  readonly inflict: (rig: Rig) => Promise<unknown>
}

/** Every kind of damage to the plane of this kind. */
export function damages(kind: PlaneKind): readonly Damage[] {
  return DAMAGES[kind]
}

const NFTABLES: readonly Damage[] = [
  nft(
    'an element of vips4 is deleted',
    'delete element inet navstar vips4 { 11.4.0.1 . tcp . 80 }',
  ),
  nft('all elements of vips4 are deleted', 'flush map inet navstar vips4'),
  nft('all elements of slots4 are deleted', 'flush map inet navstar slots4'),
  nft('all elements of slots6 are deleted', 'flush map inet navstar slots6'),
  nft('an element is added', 'add element inet navstar vips4 { 11.4.9.9 . tcp . 80 : 0x2 }'),
  nft(
    'a VIP draws its slots otherwise',
    'delete element inet navstar vips4 { 11.4.0.1 . tcp . 80 }; add element inet navstar vips4 { 11.4.0.1 . tcp . 80 : 0x10000002 }',
  ),
  nft('a VIP drains otherwise', 'add element inet navstar drains4 { 11.4.0.1 . tcp . 80 : 0x5 }'),
  nft(
    'a backend drains',
    'add element inet navstar draining4 { 11.4.0.1 . tcp . 80 . 10.0.0.9 . 80 }',
  ),
  nft('the set of links is emptied', 'flush set inet navstar hairpin'),
  nft('the set of backends is emptied', 'flush set inet navstar self4'),
  nft('the rules of chain services are deleted', 'flush chain inet navstar services'),
  nft('the rules of a slot chain are deleted', 'flush chain inet navstar slots4-2'),
  nft('the rules of a base chain are deleted', 'flush chain inet navstar output'),
  nft(
    'a base chain is deleted',
    'flush chain inet navstar postrouting; delete chain inet navstar postrouting',
  ),
  nft('a rule is added', 'insert rule inet navstar prerouting tcp dport 80 accept'),
  { what: 'one rule is deleted', inflict: deleteFirstRule },
  nft('the table is deleted', 'delete table inet navstar'),
  nft('the table is made anew and empty', 'delete table inet navstar; add table inet navstar'),
  ip('the route to the IPv4 block is deleted', '-4', 'route', 'delete', '11.0.0.0/8'),
  ip('the route to the IPv6 block is deleted', '-6', 'route', 'delete', 'fd01:c::/64'),
]

/** An entry without options. */
const PLAIN: VipValue = {
  set: 0,
  slots: 0,
  algorithm: 'random',
  firstHead: 0,
  heads: 0,
  affinitySeconds: 0,
  connectionLimit: 0,
  drain: 'graceful',
}

const EBPF: readonly Damage[] = [
  ...(
    [
      ['the algorithm of a VIP is changed', { algorithm: 'rr' }],
      ['the affinity of a VIP is changed', { affinitySeconds: 5 }],
      ['the limit of a VIP is changed', { connectionLimit: 5 }],
      ['the drain of a VIP is changed', { drain: 5 }],
      ['a VIP has heads elsewhere', { firstHead: 1 }],
      ['a VIP has fewer heads', { heads: 1 }],
    ] satisfies [string, Partial<VipValue>][]
  ).map(([what, wrong]) => changeVip(what, (value) => ({ ...value, ...wrong }))),
  map('a VIP has an unknown algorithm', 'vips', async (vips) => {
    const value = encodeVipValue(PLAIN)
    await vips.update(encodeVipKey(VICTIM), value.fill(255, 8, 12))
  }),
  map('an entry of vips is deleted', 'vips', (vips) => vips.delete(encodeVipKey(VICTIM))),
  map('all entries of vips are deleted', 'vips', empty),
  map('all entries of slots are deleted', 'slots', empty),
  map('all entries of members are deleted', 'members', empty),
  map('one entry of slots is deleted', 'slots', async (slots) =>
    slots.delete((await slots.dump()).keys.slice(0, SIZES.slotKey)),
  ),
  map('one entry of members is deleted', 'members', async (members) =>
    members.delete((await members.dump()).keys.slice(0, SIZES.memberKey)),
  ),
  map('a VIP is added', 'vips', (vips) =>
    vips.update(
      encodeVipKey({ ...VICTIM, port: 99 as never }),
      encodeVipValue({ ...PLAIN, set: 77, slots: 2 }),
    ),
  ),
  map('a slot of no VIP is added', 'slots', (slots) =>
    slots.update(encodeSlotKey(4_000_000, 0), encodeEndpoint(VICTIM)),
  ),
  map('a member is added', 'members', (members) =>
    members.update(encodeMemberKey(encodeVipKey(VICTIM), VICTIM), encodeWeight(1)),
  ),
  map('the ranges are cleared', 'ranges', async (ranges) => {
    const { keys, values } = await ranges.dump()
    await ranges.update(keys, new Uint8Array(values.length))
  }),
  {
    what: 'a link is detached',
    inflict: (rig) => run('bpftool', ['link', 'detach', 'pinned', linkPin(rig, 'connect4')]),
  },
  { what: 'the pin of a link is removed', inflict: (rig) => rm(linkPin(rig, 'sendmsg4')) },
  {
    what: 'the pins of all links are removed',
    inflict: (rig) =>
      Promise.all(
        ['connect4', 'connect6', 'sendmsg4', 'sendmsg6', 'recvmsg4', 'recvmsg6', 'sock_ops'].map(
          (program) => rm(linkPin(rig, program)),
        ),
      ),
  },
]

const DAMAGES: Readonly<Record<PlaneKind, readonly Damage[]>> = {
  ebpf: EBPF,
  nftables: NFTABLES,
  ipvs: IPVS_DAMAGES,
}

function nft(what: string, command: string): Damage {
  return { what, inflict: (rig) => inHost(rig, 'nft', command) }
}

function ip(what: string, ...args: readonly string[]): Damage {
  return { what, inflict: (rig) => inHost(rig, 'ip', ...args) }
}

/** Runs a command in the network namespace of the host. @returns what it printed */
export function inHost(rig: Rig, ...command: readonly string[]): Promise<string> {
  return run('nsenter', [`--net=${rig.places.namespacePath('host')}`, ...command])
}

async function deleteFirstRule(rig: Rig): Promise<void> {
  const text = await inHost(rig, 'nft', '-a', 'list', 'chain', 'inet', 'navstar', 'prerouting')
  const handle = /jump services # handle (\d+)/.exec(text)?.[1] ?? ''
  await inHost(rig, 'nft', 'delete', 'rule', 'inet', 'navstar', 'prerouting', 'handle', handle)
}

function map(what: string, name: string, change: (map: BpfMap) => Promise<unknown>): Damage {
  const inflict = async ({ places }: Rig) => {
    const opened = await openPinnedMap(`${places.pinDirectory}/${LAYOUT_VERSION}/${name}`)
    await change(opened)
    opened.close()
  }
  return { what, inflict }
}

function changeVip(what: string, change: (value: VipValue) => VipValue): Damage {
  return map(what, 'vips', async (vips) => {
    const { keys, values } = await vips.dump()
    const wanted = Buffer.from(encodeVipKey(VICTIM))
    for (let at = 0; at * SIZES.vipKey < keys.length; at++) {
      const key = keys.subarray(at * SIZES.vipKey, (at + 1) * SIZES.vipKey)
      const value = decodeVipValue(values, at * SIZES.vipValue)
      if (value !== undefined && wanted.equals(key))
        await vips.update(key, encodeVipValue(change(value)))
    }
  })
}

async function empty(opened: BpfMap): Promise<void> {
  await opened.delete((await opened.dump()).keys)
}

function linkPin({ places }: Rig, program: string): string {
  return `${places.pinDirectory}/${LAYOUT_VERSION}/link-${program}`
}
