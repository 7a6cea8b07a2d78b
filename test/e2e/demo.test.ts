import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { firstLine, navstarProgram } from '../../src/demo/host/host-process.ts'
import { demoPlaces } from '../../src/demo/places/places.ts'
import { run } from '../../src/demo/run.ts'
import { findCgroupRoot } from '../../src/kernel/mounts.ts'
import { requireFeature } from '../feature.ts'

describe('the demo', () => {
  it.for(['ebpf', 'nftables'] as const)(
    'shows plane %s once, and nothing of it stays',
    async (plane, ctx) => {
      await requireFeature(ctx, 'root')
      await requireFeature(ctx, plane)
      const [command = '', ...args] = navstarProgram('demo', '--once', '--plane', plane)
      const output = await run(command, args)
      expect(output).toContain(`the daemon chose plane ${plane}`)
      expect(output).toMatch(/web\.marathon\.l4lb\.thisdcos\.directory is 11\.\S+ and fd01:c::/)
      expect(output).toMatch(
        /1000 requests through the VIP by name: web-1 \d+, web-2 \d+, web-3 \d+; failures: none/,
      )
      expect(await remainsAtLast(idIn(output))).toEqual([])
    },
  )

  it('is cleaned up after it was killed with -9', async (ctx) => {
    await requireFeature(ctx, 'root')
    const [command = '', ...args] = navstarProgram('demo')
    const demo = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const id = idIn(await firstLine(demo, 'host h1'))
    await firstLine(demo, 'the daemon chose')
    expect(await remains(id)).not.toEqual([])
    demo.kill('SIGKILL')
    expect(await remainsAtLast(id)).toEqual([])
  })
})

function idIn(output: string): string {
  return /namespace nsd-(\w+)-h1/.exec(output)?.[1] ?? ''
}

/** What is left of a demo: namespaces, processes, files, pins, cgroups. */
async function remains(id: string): Promise<string[]> {
  const cgroupRoot = (await findCgroupRoot()) ?? ''
  const { cgroup, pinDirectory, stateDirectory, namespacePrefix } = demoPlaces(id, cgroupRoot)
  const namespaces = (await readdir('/run/netns')).filter((name) =>
    name.startsWith(namespacePrefix),
  )
  const resolvers = (await readdir('/etc/netns').catch(() => [])).filter((name) =>
    name.startsWith(namespacePrefix),
  )
  const paths = [cgroup, pinDirectory, stateDirectory].filter(existsSync)
  return [...namespaces, ...resolvers, ...paths, ...(await reapers(id))]
}

/** Process numbers of the demo's reaper. */
async function reapers(id: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')), // it just ended
  )
  return pids.filter((_, index) => lines[index]?.includes(`reaper-main.ts\0${id}\0`))
}

/** What is left once the reaper had its time, or at once when nothing is. */
async function remainsAtLast(id: string): Promise<string[]> {
  const deadlineMs = performance.now() + 15_000
  let left = await remains(id)
  while (left.length > 0 && performance.now() < deadlineMs) {
    await sleep(50)
    left = await remains(id)
  }
  return left
}
