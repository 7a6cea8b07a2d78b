/** User Mode Linux: a kernel as an ordinary process over the host's files. Has IPVS, lacks nf_tables. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { GuestKernel } from './initramfs.ts'
import type { Machine } from './machine.ts'
import { countRuns } from './owned-directory.ts'

const MODULES = '/usr/lib/uml/modules'

/** The kernel that Debian's package brings. */
export async function umlKernel(): Promise<GuestKernel> {
  const [release = ''] = await readdir(MODULES)
  return {
    modules: join(MODULES, release),
    firstModules: ['overlay'],
    outPort: '/dev/ttyS0',
    errPort: '/dev/ttyS1',
  }
}

/** The command line of the guest. The kernel's console is its standard output. */
export async function umlCommand(machine: Machine): Promise<string[]> {
  return [
    // On one CPU: else each system call of the guest wakes another one, and all takes twice as long.
    ...['taskset', '-c', String(await chooseCpu())],
    ...['/usr/bin/linux.uml', `initrd=${machine.initramfs}`, `mem=${machine.memoryMib}M`],
    ...[`uml_dir=${machine.runDirectory}/uml`, 'umid=guest'],
    ...['con=null', 'con0=null,fd:1', 'ssl=null', 'ssl0=null,fd:3', 'ssl1=null,fd:4'],
    ...['quiet', 'loglevel=3', 'panic=-1', 'noreboot'],
  ]
}

/** Guests side by side get CPUs of their own, as far as there are any. */
async function chooseCpu(): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8')
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '0'
  const cpus = list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
  return cpus.at(-((await countRuns('uml')) % cpus.length)) ?? 0
}
