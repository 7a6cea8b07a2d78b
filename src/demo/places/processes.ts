/** A demo's processes, by the cgroup that they are all in. */
import { existsSync } from 'node:fs'
import { readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Ends all processes of a cgroup at once (Linux 5.14) and waits until they are gone. */
export async function endProcesses(cgroup: string): Promise<void> {
  await writeFile(join(cgroup, 'cgroup.kill'), '1').catch(() => undefined) // no such cgroup
  for (let attempt = 0; attempt < 200; attempt++) {
    const events = await readFile(join(cgroup, 'cgroup.events'), 'utf8').catch(() => 'populated 0')
    if (events.includes('populated 0')) return
    await sleep(10)
  }
}

/** Removes cgroups; a process that was just starting may have joined after the others were ended. */
export async function removeCgroups(cgroup: string): Promise<void> {
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
