/**
 * Folders of this process: those of a run, with its sockets and its initramfs, and those of a download.
 * The owner's PID is in their name, so that they can be swept.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const RUN = /^navstar-guest-(uml|qemu)-(\d+)-/
const OWNED = /-(\d+)-[^-]{6}$/

/** A folder for a run of this process, e.g. `/tmp/navstar-guest-uml-4711-x2Ab9c`. */
export async function makeRunDirectory(kind: string): Promise<string> {
  return await makeOwned(tmpdir(), `navstar-guest-${kind}`)
}

/** A folder named after this process, e.g. `download-4711-x2Ab9c`. */
export async function makeOwned(folder: string, prefix: string): Promise<string> {
  return await mkdtemp(join(folder, `${prefix}-${process.pid}-`))
}

/**
 * Removes folders of runs whose owner is gone. Their guests are gone too: the kernel ends them with
 * the owner (`contained.ts`).
 */
export async function sweepRunDirectories(): Promise<void> {
  await sweepOwned(tmpdir(), 'navstar-guest-')
}

/** Removes folders that `makeOwned` made for a process that is gone. */
export async function sweepOwned(folder: string, prefix: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const owner = name.startsWith(prefix) ? OWNED.exec(name)?.[1] : undefined
    if (owner === undefined || isAlive(Number(owner))) continue
    await rm(join(folder, name), { recursive: true, force: true })
  }
}

/** How many guests of a kind have a folder now. */
export async function countRuns(kind: string): Promise<number> {
  return (await readdir(tmpdir())).filter((name) => RUN.exec(name)?.[1] === kind).length
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
