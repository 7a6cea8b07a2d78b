/**
 * Who places belong to. The file `owner` in the state directory holds the number of a process and
 * when it started, e.g. `4711 88211`: together they name a process for good, a number alone does not.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const OWNER = 'owner'

/** Makes a state directory that belongs to this process; others see it with its owner or not at all. */
export async function makeOwned(stateDirectory: string): Promise<void> {
  const root = dirname(stateDirectory)
  const hidden = join(root, `.${process.pid}`)
  await mkdir(hidden, { recursive: true })
  await writeFile(join(hidden, OWNER), `${process.pid} ${await startOf(String(process.pid))}`)
  await rename(hidden, stateDirectory)
}

/** Whether the process that made the state directory still runs. */
export async function hasOwner(stateDirectory: string): Promise<boolean> {
  const text = await readFile(join(stateDirectory, OWNER), 'utf8').catch(() => '')
  const [pid = '', start] = text.split(' ')
  return pid !== '' && start !== undefined && (await startOf(pid)) === start
}

/**
 * When a process started, in ticks since boot; undefined when there is none.
 *
 * **Source:** proc_pid_stat(5), field 22; the name in field 2 may hold spaces and parentheses
 */
async function startOf(pid: string): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
}
