import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { ClusterHost } from '../../src/demo/host/cluster-host.ts'
import { run } from '../../src/demo/run.ts'
import { LAYOUT_VERSION } from '../../src/l4lb/planes/ebpf/kernel.ts'
import { requireFeature } from '../feature.ts'
import { openCluster, startBackends, type TestCluster } from './cluster.ts'

interface Edit {
  readonly name: string
  readonly make: (cluster: TestCluster) => Promise<unknown>
}

const NFT_EDITS: readonly Edit[] = [
  { name: 'its table is flushed', make: nft('flush', 'table', 'inet', 'navstar') },
  { name: 'its table is deleted', make: nft('delete', 'table', 'inet', 'navstar') },
  { name: 'a map is flushed', make: nft('flush', 'map', 'inet', 'navstar', 'slots4') },
  {
    name: 'a rule stands in a chain of its own',
    make: nft('insert', 'rule', 'inet', 'navstar', 'services', 'drop'),
  },
  { name: 'its route is deleted', make: ip('route', 'delete', '11.0.0.0/8') },
]

const BPF_EDITS: readonly Edit[] = [
  { name: 'the entry of a VIP is deleted', make: deleteEntry('vips') },
  { name: 'the entry of a slot is deleted', make: deleteEntry('slots') },
  { name: 'a link is unpinned', make: ({ host }) => rm(pinned(host, 'link-connect4')) },
]

describe.each([
  { plane: 'nftables', edits: NFT_EDITS },
  { plane: 'ebpf', edits: BPF_EDITS },
] as const)('plane $plane, changed behind the daemon’s back', ({ plane, edits }) => {
  let opening: Promise<TestCluster> | undefined
  const open = () => (opening ??= openCluster({ containers: 2, plane }))
  afterAll(async () => (await opening)?.close())

  it.for(edits)('is whole again within a second and reported when $name', async (edit, ctx) => {
    await requireFeature(ctx, 'root')
    await requireFeature(ctx, plane)
    const cluster = await open()
    const address = cluster.host.daemonPid
      ? await cluster.webAddress()
      : await startBackends(cluster, 2)
    const { drifts } = await cluster.sync()
    await edit.make(cluster)
    const editedMs = performance.now()
    await cluster.untilSync((sync) => sync.isInSync && sync.drifts > drifts)
    expect(performance.now() - editedMs).toBeLessThan(1_000)
    const { failures, spread } = await cluster.host.sendRequests(40, [`http://${address}/`])
    expect(failures).toEqual({})
    expect(Object.keys(spread)).toHaveLength(2)
  })
})

function nft(...command: string[]): Edit['make'] {
  return ({ host }) => run('ip', ['netns', 'exec', host.places.namespace, 'nft', ...command])
}

function ip(...command: string[]): Edit['make'] {
  return ({ host }) => run('ip', ['-n', host.places.namespace, ...command])
}

function pinned(host: ClusterHost, name: string): string {
  return join(host.places.pinDirectory, LAYOUT_VERSION, name)
}

/** Deletes one entry of a pinned map by bpftool: that of the IPv4 VIP, or a slot of either family. */
function deleteEntry(name: 'vips' | 'slots'): Edit['make'] {
  return async ({ host }) => {
    const map = ['pinned', pinned(host, name)]
    const entries = JSON.parse(await run('bpftool', ['-j', 'map', 'dump', ...map])) as Entry[]
    const entry = entries.find(({ key }) => name === 'slots' || key[10] === '0xff')
    if (entry === undefined) throw new Error(`map ${name} has no such entry`)
    await run('bpftool', ['map', 'delete', ...map, 'key', ...entry.key])
  }
}

interface Entry {
  readonly key: readonly string[]
}
