import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { firstLine, navstarProgram } from '../../src/demo/host/host-process.ts'
import { demoPlaces, STATE_ROOT } from '../../src/demo/places/places.ts'
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
      expect(output).toMatch(/h1 by name +\d+ +\d+ +\d+ +0\n/)
      expect(output).toMatch(/h3 by address +\d+ +\d+ +\d+ +0\n/)
      expect(output).toMatch(
        /a task is reachable from another host after RUNNING: p50 \d+ ms, p99 /,
      )
      expect(output).toMatch(/the leading master on h[123] ends: h1 follows that on h[123] after /)
      expect(output).toMatch(/\n {2}stream +stale .* since \d{4}-/)
      expect(output).toMatch(/all is current after .*; of \d+ connections meanwhile 0 failed/)
      expect(output).toContain('healed: all agree after')
      expect(await remainsAtLast(idIn(output))).toEqual([])
    },
  )

  it('follows the scripts that it offers, and refuses what makes no sense', async (ctx) => {
    await requireFeature(ctx, 'root')
    const { demo, id } = await startDemo('--hosts', '2')
    try {
      const script = (name: string) => join(STATE_ROOT, id, name)
      const answers: string[] = []
      for (const [name = '', ...args] of SCRIPT_CALLS) answers.push(await tell(script(name), args))
      expect(answers).toEqual([
        'exit 1: h2 has no Mesos master, only h1',
        'the Mesos master on h1 has ended',
        'the Mesos master on h1 runs',
        'h2 is dead: its processes are gone, its link is down',
        'exit 1: h2 is dead already',
        'exit 1: h1 is the last host that lives',
        'h2 is back: agent, backends and daemon run',
        'exit 1: h2 is not dead',
        "exit 1: there is no host 'h9', only h1, h2",
        'the cluster is cut: h1 | h2',
        'exit 1: the cluster is cut: heal it first',
        'the cluster is whole',
        'the cluster was whole',
        'h3 (10.99.0.3) has joined with one seed and the key',
      ])
      expect(await run(script('h3'), ['hostname', '-I'])).toContain('10.99.0.3')
      const key = await stat(script('cluster.key'))
      expect(key.mode & 0o777).toBe(0o600)
    } finally {
      demo.kill('SIGINT')
    }
    expect(await remainsAtLast(id)).toEqual([])
  })

  it('is cleaned up after it was killed with -9', async (ctx) => {
    await requireFeature(ctx, 'root')
    const { demo, id } = await startDemo('--hosts', '1')
    expect(await remains(id)).not.toEqual([])
    demo.kill('SIGKILL')
    expect(await remainsAtLast(id)).toEqual([])
  })

  it('is cleaned up when it is interrupted while it starts', async (ctx) => {
    await requireFeature(ctx, 'root')
    const [command = '', ...args] = navstarProgram('demo')
    const demo = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const id = idIn(await firstLine(demo, '  host h1'))
    demo.kill('SIGINT')
    await once(demo, 'exit')
    expect(await remainsAtLast(id)).toEqual([])
  })
})

/** Script and arguments, in this order. */
const SCRIPT_CALLS: readonly (readonly string[])[] = [
  ['end-master', 'h2'],
  ['end-master', 'h1'],
  ['start-master', 'h1'],
  ['kill', 'h2'],
  ['kill', 'h2'],
  ['kill', 'h1'],
  ['return', 'h2'],
  ['return', 'h2'],
  ['kill', 'h9'],
  ['cut', 'h1', 'h2'],
  ['join'],
  ['heal'],
  ['heal'],
  ['join'],
]

async function startDemo(...flags: string[]): Promise<{ demo: ChildProcess; id: string }> {
  const [command = '', ...args] = navstarProgram('demo', ...flags)
  const demo = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const id = idIn(await firstLine(demo, '  host h1'))
  await firstLine(demo, 'Ctrl-C')
  return { demo, id }
}

/** What a script says, with its exit code unless that is 0. */
async function tell(script: string, args: readonly string[]): Promise<string> {
  const child = spawn(script, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  return code === 0 ? output.trim() : `exit ${code}: ${output.trim()}`
}

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
