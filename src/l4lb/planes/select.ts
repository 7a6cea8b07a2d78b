import type { L4lbOptions } from '../config.ts'
import { probePlanes } from './open.ts'
import { choosePlane, type PlaneChoice, type PlaneProbe } from './probe.ts'
import { WishFile } from './wish-file.ts'

/** The plane of a daemon, with all that it was chosen from. */
export interface PlaneSelection {
  readonly choice: PlaneChoice
  readonly probes: readonly PlaneProbe[]
  /** Where a switch is kept. */
  readonly wishes: WishFile
}

/** Tries the planes and takes one. @throws NavstarError `PLANE_UNAVAILABLE` */
export async function selectPlane(
  options: L4lbOptions,
  stateDirectory: string,
): Promise<PlaneSelection> {
  const wishes = new WishFile(stateDirectory)
  const probes = await probePlanes(options)
  const switched = await wishes.read()
  const choice = choosePlane(probes, { configured: options.plane, switched })
  return { choice, probes, wishes }
}
