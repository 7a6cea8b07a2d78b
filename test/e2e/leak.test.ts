import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import type { SimulatedTask } from '../../src/demo/agent/task.ts'
import { run } from '../../src/demo/run.ts'
import { LAYOUT_VERSION } from '../../src/l4lb/planes/ebpf/kernel.ts'
import { requireFeature } from '../feature.ts'
import { openCluster, type TestCluster } from './cluster.ts'

const VIPS = 1_000
const BACKENDS = 10
const CYCLES = 4
/** The first cycles fill caches and pools. */
const WARM_CYCLES = 2

describe.each(['ebpf', 'nftables'] as const)('plane %s', (plane) => {
  let cluster: TestCluster | undefined
  afterAll(() => cluster?.close())

  it(`serves and forgets ${VIPS} VIPs × ${BACKENDS} backends without a leak`, async (ctx) => {
    await requireFeature(ctx, 'root')
    await requireFeature(ctx, plane)
    cluster = await openCluster({ containers: 0, plane })
    await cluster.host.startDaemon()
    const warm: Resources[] = []
    for (let cycle = 0; cycle < CYCLES; cycle++) {
      const ids = await addTasks(cluster)
      await cluster.host.waitFor('/metrics', isServing(VIPS))
      await Promise.all(ids.map((taskId) => cluster?.mesos.kill(taskId)))
      await cluster.host.waitFor('/metrics', isServing(0))
      await cluster.untilSync(({ isInSync }) => isInSync)
      warm.push(await resourcesOf(cluster, plane))
    }
    const [before, after] = [warm[WARM_CYCLES - 1], warm.at(-1)]
    expect(after?.kernelObjects).toBe(0)
    // A connection that just ended may still be among them.
    const descriptors = () => cluster && descriptorsOf(cluster)
    await expect.poll(descriptors, { timeout: 5_000 }).toBeLessThanOrEqual(before?.descriptors ?? 0)
    expect(after?.liveMiB).toBeLessThan((before?.liveMiB ?? 0) + 1)
  })
})

const heapProgram = fileURLToPath(new URL('heap-main.ts', import.meta.url))

interface Resources {
  readonly descriptors: number
  /** Map entries or set elements of services. */
  readonly kernelObjects: number
  /** Live objects after a garbage collection. */
  readonly liveMiB: number
}

async function addTasks({ host }: TestCluster): Promise<string[]> {
  const tasks = Array.from({ length: VIPS }, (_, vip): SimulatedTask => {
    const addresses = Array.from(
      { length: BACKENDS },
      (_each, index) => `172.20.${vip >> 4}.${(vip & 15) * 16 + index}`,
    )
    const ports = [{ port: 8080, vips: [`/app-${vip}:80`] }]
    return { name: `app-${vip}`, network: 'container', addresses, ports }
  })
  const started = await Promise.all(tasks.map((task) => host.launch(task)))
  return started.map(({ taskId }) => taskId)
}

function isServing(count: number): (metrics: string) => boolean {
  return (metrics) =>
    metrics.includes(`\nnavstar_l4lb_vips ${count}\n`) &&
    metrics.includes(`\nnavstar_dns_zone_names ${count}\n`)
}

async function resourcesOf({ host }: TestCluster, plane: string): Promise<Resources> {
  return {
    descriptors: await descriptorsOf({ host }),
    kernelObjects:
      plane === 'ebpf'
        ? await bpfEntries(host.places.pinDirectory)
        : await elements(host.places.namespace),
    liveMiB:
      Number(await host.run([process.execPath, heapProgram, String(host.daemonPid)])) / 2 ** 20,
  }
}

async function descriptorsOf({ host }: Pick<TestCluster, 'host'>): Promise<number> {
  return (await readdir(`/proc/${host.daemonPid}/fd`)).length
}

async function bpfEntries(pinDirectory: string): Promise<number> {
  let count = 0
  for (const map of ['vips', 'slots', 'members']) {
    const dump = await run('bpftool', [
      '-j',
      'map',
      'dump',
      'pinned',
      `${pinDirectory}/${LAYOUT_VERSION}/${map}`,
    ])
    count += (JSON.parse(dump) as unknown[]).length
  }
  return count
}

async function elements(namespace: string): Promise<number> {
  const text = await run('ip', [
    'netns',
    'exec',
    namespace,
    'nft',
    '-j',
    'list',
    'table',
    'inet',
    'navstar',
  ])
  const { nftables } = JSON.parse(text) as {
    nftables: { map?: { elem?: unknown[] }; set?: { name: string; elem?: unknown[] } }[]
  }
  return nftables.flatMap(({ map, set }) =>
    set?.name === 'hairpin' ? [] : (map?.elem ?? set?.elem ?? []),
  ).length
}
