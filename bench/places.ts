/** Where the benchmarks keep their kernel objects; what a crashed run left is found by its names. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cleanUp } from '../src/demo/places/cleanup.ts'
import type { DemoPlaces } from '../src/demo/places/places.ts'
import { ensureBpfMount, findCgroupRoot } from '../src/kernel/mounts.ts'

const STATE_ROOT = '/run/navstar-bench'

/** The names of one run's objects: those of a demo, under another prefix. */
export type Places = DemoPlaces

/** Runs a measure in fresh places and removes them, however it ends. */
export async function inPlaces<T>(measure: (places: Places) => Promise<T>): Promise<T> {
  const cgroupRoot = await findCgroupRoot()
  if (cgroupRoot === undefined) throw new Error('the benchmarks need cgroup2 mounted')
  await ensureBpfMount()
  await sweep(cgroupRoot)
  const places = placesOf(process.pid.toString(36), cgroupRoot)
  await hold(places)
  const interrupted = () => void cleanUp(places).finally(() => process.exit(130))
  for (const signal of SIGNALS) process.once(signal, interrupted)
  try {
    return await measure(places)
  } finally {
    await cleanUp(places)
    for (const signal of SIGNALS) process.removeListener(signal, interrupted)
  }
}

/** Removes what a part of a measure made; the places are as new. */
export async function emptyPlaces(places: Places): Promise<void> {
  await cleanUp(places)
  await hold(places)
}

async function hold({ stateDirectory }: Places): Promise<void> {
  await mkdir(stateDirectory, { recursive: true })
  await writeFile(join(stateDirectory, 'pid'), String(process.pid))
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Removes what runs left whose process is gone. */
async function sweep(cgroupRoot: string): Promise<void> {
  for (const id of await readdir(STATE_ROOT).catch(() => [])) {
    const pid = await readFile(join(STATE_ROOT, id, 'pid'), 'utf8').catch(() => '')
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (!commandLine.includes('bench')) await cleanUp(placesOf(id, cgroupRoot))
  }
}

function placesOf(id: string, cgroupRoot: string): Places {
  const stateDirectory = join(STATE_ROOT, id)
  const namespacePrefix = `nsv-bench-${id}-`
  const cgroup = join(cgroupRoot, `navstar-bench-${id}`)
  const pinDirectory = `/sys/fs/bpf/navstar-bench-${id}`
  return {
    id,
    stateDirectory,
    namespacePrefix,
    cgroup,
    pinDirectory,
    fabric: `${namespacePrefix}fabric`,
    host: (name) => ({
      name,
      namespace: `${namespacePrefix}${name}`,
      namespacePath: `/run/netns/${namespacePrefix}${name}`,
      cgroup: join(cgroup, name),
      pinDirectory: join(pinDirectory, name),
      script: join(stateDirectory, name),
      container: (index) => `${namespacePrefix}${name}-c${index}`,
    }),
  }
}
