/** Where a fleet keeps its kernel objects and files; what a crashed run left is found by its id. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cleanUp } from '../../src/demo/places/cleanup.ts'
import type { DemoPlaces, HostPlaces } from '../../src/demo/places/places.ts'
import { findCgroupRoot } from '../../src/kernel/mounts.ts'

const STATE_ROOT = '/run/navstar-gossip'

/** The names of one fleet's objects: those of a demo, under another prefix. */
export type FleetPlaces = DemoPlaces

/** Makes places, after it removed those of runs whose process is gone. */
export async function openPlaces(): Promise<FleetPlaces> {
  const cgroupRoot = await findCgroupRoot()
  if (cgroupRoot === undefined) throw new Error('a fleet needs cgroup2 mounted')
  await sweep(cgroupRoot)
  const places = placesOf(process.pid.toString(36), cgroupRoot)
  await cleanUp(places)
  await mkdir(places.stateDirectory, { recursive: true })
  await writeFile(join(places.stateDirectory, 'owner'), (await identityOf(process.pid)) ?? '')
  return places
}

/** Makes places for some work and removes them, however it ends. */
export async function inFleetPlaces<T>(work: (places: FleetPlaces) => Promise<T>): Promise<T> {
  const places = await openPlaces()
  let cleaning: Promise<void> | undefined
  const clean = () => {
    cleaning ??= cleanUp(places)
    return cleaning
  }
  const restores = SIGNALS.map((signal) => takeOver(signal, clean))
  try {
    return await work(places)
  } finally {
    await clean()
    for (const restore of restores) restore()
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** On the signal acts first, then lets it come to those who listened before: they end the process. */
function takeOver(signal: NodeJS.Signals, act: () => Promise<void>): () => void {
  const earlier = process.listeners(signal)
  process.removeAllListeners(signal)
  const restore = () => {
    process.removeAllListeners(signal)
    for (const listener of earlier) process.on(signal, listener)
  }
  process.once(signal, () => {
    void act().finally(() => {
      restore()
      process.kill(process.pid, signal)
    })
  })
  return restore
}

/** The places of a node, from 1 on. */
export function nodePlaces(places: FleetPlaces, number: number): HostPlaces {
  return places.host(`n${number}`)
}

async function sweep(cgroupRoot: string): Promise<void> {
  for (const id of await readdir(STATE_ROOT).catch(() => [])) {
    const owner = await readFile(join(STATE_ROOT, id, 'owner'), 'utf8').catch(() => '')
    if (owner === '' || owner !== (await identityOf(Number.parseInt(owner, 10))))
      await cleanUp(placesOf(id, cgroupRoot))
  }
}

/**
 * Pid and time of start, as a pid alone may have been given to another process; undefined when it
 * ended, be it that nobody has asked for its exit code yet. **Source:** proc(5)
 */
async function identityOf(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return text === '' || fields[0] === 'Z' ? undefined : `${pid} ${fields[19]}`
}

function placesOf(id: string, cgroupRoot: string): FleetPlaces {
  const stateDirectory = join(STATE_ROOT, id)
  const namespacePrefix = `nsg-${id}-`
  const cgroup = join(cgroupRoot, `navstar-gossip-${id}`)
  const pinDirectory = join(stateDirectory, 'bpf') // nothing is pinned
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
      script: join(stateDirectory, `${name}.sh`),
      container: (index) => `${namespacePrefix}${name}-c${index}`,
    }),
  }
}
