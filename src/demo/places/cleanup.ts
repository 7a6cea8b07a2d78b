/** Removes every trace of a demo, whatever of it is still there. */
import { existsSync } from 'node:fs'
import { readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from '../run.ts'
import { hasOwner } from './owner.ts'
import { type DemoPlaces, demoPlaces, STATE_ROOT } from './places.ts'

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

/** Every process of a demo is in its cgroup: cgroup.kill ends them all at once (Linux 5.14). */
async function endProcesses(cgroup: string): Promise<void> {
  await writeFile(join(cgroup, 'cgroup.kill'), '1').catch(() => undefined) // no such cgroup
  for (let attempt = 0; attempt < 200; attempt++) {
    const events = await readFile(join(cgroup, 'cgroup.events'), 'utf8').catch(() => 'populated 0')
    if (events.includes('populated 0')) return
    await sleep(10)
  }
}

/** A process that was just starting may have joined after the others were ended. */
async function removeCgroups(cgroup: string): Promise<void> {
  for (let attempt = 0; attempt < 100 && existsSync(cgroup); attempt++) {
    await removeTree(cgroup)
    if (!existsSync(cgroup)) return
    await sleep(20)
    await endProcesses(cgroup)
  }
}

async function removeTree(path: string): Promise<void> {
  const children = await readdir(path, { withFileTypes: true }).catch(() => [])
  for (const child of children) if (child.isDirectory()) await removeTree(join(path, child.name))
  await rmdir(path).catch(() => undefined) // gone, or tried again
}

async function list(path: string): Promise<string[]> {
  return readdir(path).catch(() => [])
}
