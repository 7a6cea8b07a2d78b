/** What others can do to a host's data plane while the daemon runs. */
import { mkdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ClusterHost } from '../../src/demo/host/cluster-host.ts'
import { run } from '../../src/demo/run.ts'
import { LAYOUT_VERSION } from '../../src/l4lb/planes/ebpf/kernel.ts'
import type { TestCluster } from './cluster.ts'

/** One edit. */
export interface Edit {
  readonly name: string
  readonly make: (cluster: TestCluster) => Promise<unknown>
}

/** Edits by plane. */
export const EDITS: Readonly<Record<'nftables' | 'ebpf', readonly Edit[]>> = {
  nftables: [
    { name: 'its table is flushed', make: nft('flush', 'table', 'inet', 'navstar') },
    { name: 'its table is deleted', make: nft('delete', 'table', 'inet', 'navstar') },
    {
      name: 'its table is made anew and empty',
      make: nft('delete table inet navstar; add table inet navstar'),
    },
    {
      name: 'the map of all slots is flushed',
      make: nft('flush', 'map', 'inet', 'navstar', 'slots4'),
    },
    {
      name: 'the map of all VIPs is flushed',
      make: nft('flush', 'map', 'inet', 'navstar', 'vips4'),
    },
    { name: 'a backend has the share of another', make: takeNftShare },
    {
      name: 'a rule stands in a chain of its own',
      make: nft('insert', 'rule', 'inet', 'navstar', 'services', 'drop'),
    },
    {
      name: 'a rule stands before its own in a base chain',
      make: nft('insert', 'rule', 'inet', 'navstar', 'prerouting', 'tcp', 'dport', '80', 'accept'),
    },
    { name: 'its route is deleted', make: ip('route', 'delete', '11.0.0.0/8') },
  ],
  ebpf: [
    { name: 'the entry of a VIP is deleted', make: deleteEntries('vips', 1) },
    { name: 'the entries of all VIPs are deleted', make: deleteEntries('vips') },
    { name: 'the entry of a slot is deleted', make: deleteEntries('slots', 1) },
    { name: 'the entries of all slots are deleted', make: deleteEntries('slots') },
    { name: 'a backend has the share of another', make: takeBpfShare },
    { name: 'a backend has another weight', make: weighOtherwise },
    { name: 'a link is unpinned', make: ({ host }) => rm(pinned(host, 'link-connect4')) },
    {
      name: 'a link is detached',
      make: ({ host }) =>
        run('bpftool', ['link', 'detach', 'pinned', pinned(host, 'link-connect4')]),
    },
  ],
}

const FOREIGN_TABLE = `table inet foreign {
  map ports { type inet_service : ipv4_addr . inet_service; elements = { 7 : 192.0.2.1 . 7 } }
  set mine { type ipv4_addr; elements = { 192.0.2.9 } }
  chain prerouting {
    type nat hook prerouting priority -150
    ip daddr 192.0.2.9 tcp dport 80 dnat ip to 192.0.2.1:9
  }
  chain output {
    type nat hook output priority -150
    ip daddr 192.0.2.9 tcp dport 80 dnat ip to 192.0.2.1:9
  }
  chain forward {
    type filter hook forward priority -1
    ct state invalid drop
  }
}
`

/** Makes objects of others beside the plane's: a table whose chains come before ours, a route, a map. */
export async function addForeign(host: ClusterHost): Promise<void> {
  await run('ip', ['netns', 'exec', host.places.namespace, 'nft', '-f', '-'], FOREIGN_TABLE)
  await run('ip', ['-n', host.places.namespace, 'route', 'add', '11.99.0.0/16', 'via', GATEWAY])
  await mkdir(dirname(foreignPin(host)), { recursive: true })
  const shape = ['type', 'hash', 'key', '4', 'value', '4', 'entries', '8', 'name', 'foreign']
  await run('bpftool', ['map', 'create', foreignPin(host), ...shape])
  const entry = ['key', '1', '2', '3', '4', 'value', '5', '6', '7', '8']
  await run('bpftool', ['map', 'update', 'pinned', foreignPin(host), ...entry])
}

/** All that can be read of them. */
export async function readForeign(host: ClusterHost): Promise<readonly string[]> {
  const { namespace } = host.places
  const table = ['netns', 'exec', namespace, 'nft', '-a', '-s', 'list', 'table', 'inet', 'foreign']
  return [
    await run('ip', table),
    await run('ip', ['-n', namespace, 'route', 'show', '11.99.0.0/16']),
    await run('bpftool', ['-j', 'map', 'dump', 'pinned', foreignPin(host)]),
  ]
}

const GATEWAY = '10.99.0.254'

function foreignPin({ places }: ClusterHost): string {
  return `${places.pinDirectory}-foreign`
}

function nft(...command: string[]): Edit['make'] {
  return ({ host }) => run('ip', ['netns', 'exec', host.places.namespace, 'nft', ...command])
}

function ip(...command: string[]): Edit['make'] {
  return ({ host }) => run('ip', ['-n', host.places.namespace, ...command])
}

/** Elements of `slots4` as nft writes them: key and value. */
type NftElement = readonly [{ readonly concat: readonly unknown[] }, unknown]

/** Gives a slot of one VIP to the backend of its other slot. */
async function takeNftShare({ host }: TestCluster): Promise<void> {
  const nftJson = (...words: readonly string[]) =>
    run('ip', ['netns', 'exec', host.places.namespace, 'nft', '-j', ...words])
  const listed = await nftJson('list', 'map', 'inet', 'navstar', 'slots4')
  const { nftables } = JSON.parse(listed) as {
    nftables: readonly { readonly map?: { readonly elem: readonly NftElement[] } }[]
  }
  const elements = nftables.flatMap(({ map }) => map?.elem ?? [])
  const [key, value] = elements[0] ?? []
  const other = elements.find(
    ([each, its]) => isSameVip(each, key) && JSON.stringify(its) !== JSON.stringify(value),
  )
  const place = { family: 'inet', table: 'navstar', name: 'slots4' }
  const edit = [
    { delete: { element: { ...place, elem: [key] } } },
    { add: { element: { ...place, elem: [[key, other?.[1]]] } } },
  ]
  await nftJson(JSON.stringify({ nftables: edit }))
}

function isSameVip(one: NftElement[0], other: NftElement[0] | undefined): boolean {
  const vipOf = (key: NftElement[0] | undefined) => JSON.stringify(key?.concat.slice(0, 3))
  return vipOf(one) === vipOf(other)
}

interface Entry {
  readonly key: readonly string[]
  readonly value: readonly string[]
}

async function entriesOf(host: ClusterHost, map: string): Promise<readonly Entry[]> {
  const dump = await run('bpftool', ['-j', 'map', 'dump', 'pinned', pinned(host, map)])
  return JSON.parse(dump) as Entry[]
}

/** Deletes entries of a pinned map; all of them unless a number is given. */
function deleteEntries(map: 'vips' | 'slots', count = Number.POSITIVE_INFINITY): Edit['make'] {
  return async ({ host }) => {
    const entries = (await entriesOf(host, map)).slice(0, count)
    if (entries.length === 0) throw new Error(`map ${map} has no entry`)
    const lines = entries.map(
      ({ key }) => `map delete pinned ${pinned(host, map)} key ${key.join(' ')}`,
    )
    await run('bpftool', ['batch', 'file', '-'], `${lines.join('\n')}\n`)
  }
}

/** Gives a slot to the backend of the next slot of its VIP. */
async function takeBpfShare({ host }: TestCluster): Promise<void> {
  const entries = await entriesOf(host, 'slots')
  const [first] = entries
  const setOf = ({ key }: Entry) => key.slice(0, 4).join()
  const other = entries.find(
    (each) => first && setOf(each) === setOf(first) && each.value.join() !== first.value.join(),
  )
  if (first === undefined || other === undefined) throw new Error('no VIP has two backends')
  await update(host, 'slots', { key: first.key, value: other.value })
}

async function weighOtherwise({ host }: TestCluster): Promise<void> {
  const [member] = await entriesOf(host, 'members')
  if (member === undefined) throw new Error('there is no backend')
  await update(host, 'members', { key: member.key, value: ['0x09', ...member.value.slice(1)] })
}

async function update(host: ClusterHost, map: string, { key, value }: Entry): Promise<void> {
  const place = ['map', 'update', 'pinned', pinned(host, map)]
  await run('bpftool', [...place, 'key', ...key, 'value', ...value])
}

function pinned(host: ClusterHost, name: string): string {
  return join(host.places.pinDirectory, LAYOUT_VERSION, name)
}
