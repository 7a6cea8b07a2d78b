import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/**
 * Where the cgroup2 hierarchy is mounted: `/sys/fs/cgroup`, or `/sys/fs/cgroup/unified` beside
 * version 1. Undefined when it is not mounted.
 *
 * **Source:** proc(5), `/proc/[pid]/mountinfo`
 */
export async function findCgroupRoot(): Promise<string | undefined> {
  return mountPointOf('cgroup2')
}

/** Where a BPF file system is mounted, e.g. `/sys/fs/bpf`. */
export async function findBpfMount(): Promise<string | undefined> {
  return mountPointOf('bpf')
}

async function mountPointOf(fileSystem: string): Promise<string | undefined> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n')
  for (const line of lines) {
    const [before = '', after = ''] = line.split(' - ')
    if (after.split(' ')[0] === fileSystem) return before.split(' ')[4]
  }
  return undefined
}

/** Mounts a BPF file system on /sys/fs/bpf when there is none; systemd does so at boot. */
export async function ensureBpfMount(): Promise<void> {
  if ((await findBpfMount()) !== undefined) return
  await promisify(execFile)('mount', ['-t', 'bpf', 'bpf', '/sys/fs/bpf'])
}
