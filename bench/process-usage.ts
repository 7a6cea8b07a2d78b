/** What a process uses of the machine. */
import { readFile } from 'node:fs/promises'

/** USER_HZ: the unit of the times in /proc, the same on every machine. */
const TICKS_PER_SECOND = 100

/** Seconds of user and system time. **Source:** proc(5), `/proc/[pid]/stat`, fields 14 and 15 */
export async function cpuSeconds(pid: number | undefined): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** Resident memory. **Source:** proc(5), `/proc/[pid]/status` */
export async function rssMib(pid: number | undefined): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(text)?.[1]) / 1024
}
