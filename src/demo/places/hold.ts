import { spawn } from 'node:child_process'
import { ensureBpfMount, findCgroupRoot } from '../../kernel/mounts.ts'
import { demoProgram } from '../host/host-process.ts'
import { cleanUp, sweep } from './cleanup.ts'
import { makeOwned } from './owner.ts'
import { type DemoPlaces, demoPlaces } from './places.ts'

/** Places that belong to this process. */
export interface HeldPlaces {
  readonly places: DemoPlaces
  /** Demos whose process was gone and whose remains are removed now. */
  readonly swept: readonly string[]
  /** Removes everything. */
  close(): Promise<void>
}

/** Opens the places of a new demo; a reaper removes them should this process die. */
export async function holdPlaces(id: string): Promise<HeldPlaces> {
  const cgroupRoot = await findCgroupRoot()
  if (cgroupRoot === undefined) throw new Error('the demo needs cgroup2 mounted')
  await ensureBpfMount()
  const swept = await sweep(cgroupRoot)
  const places = demoPlaces(id, cgroupRoot)
  await makeOwned(places.stateDirectory)
  const [command = '', ...args] = demoProgram('places/reaper-main.ts', id, cgroupRoot)
  const reaper = spawn(command, args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  reaper.unref()
  return {
    places,
    swept,
    close: async () => {
      await cleanUp(places)
      reaper.stdin.end()
    },
  }
}
