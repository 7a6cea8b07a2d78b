/** Removes every trace of a demo, whatever of it is still there. */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../run.ts'
import { hasOwner } from './owner.ts'
import { type DemoPlaces, demoPlaces, STATE_ROOT } from './places.ts'
import { endProcesses, removeCgroups } from './processes.ts'

/** Ends a demo's processes and removes its namespaces, cgroups, pins and files. */
export async function cleanUp(demo: DemoPlaces): Promise<void> {
  await endProcesses(demo.cgroup)
  const own = (await list('/run/netns')).filter((name) => name.startsWith(demo.namespacePrefix))
  for (const name of own) {
    await run('ip', ['netns', 'delete', name]).catch(() => undefined) // already gone
    await rm(`/etc/netns/${name}`, { recursive: true, force: true })
  }
  await rm(demo.pinDirectory, { recursive: true, force: true })
  await removeCgroups(demo.cgroup)
  await rm(demo.stateDirectory, { recursive: true, force: true })
}

/** Cleans up after demos whose process is gone. @returns their ids */
export async function sweep(cgroupRoot: string): Promise<string[]> {
  const swept: string[] = []
  for (const id of await list(STATE_ROOT)) {
    const isHidden = id.startsWith('.')
    if (isHidden || (await hasOwner(join(STATE_ROOT, id)))) continue
    await cleanUp(demoPlaces(id, cgroupRoot))
    swept.push(id)
  }
  return swept
}

async function list(path: string): Promise<string[]> {
  return readdir(path).catch(() => [])
}
