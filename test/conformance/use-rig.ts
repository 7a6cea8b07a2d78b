/** Gives the tests of one `describe` a rig. */
import { afterAll, beforeEach } from 'vitest'
import { requireFeature } from '../feature.ts'
import { required } from './open-plane.ts'
import { Rig, type RigOptions } from './rig.ts'

/**
 * Opens a rig before the first test that runs and removes it after the last one; skips the tests,
 * by name, where the host cannot do what the plane needs.
 *
 * @param prepare runs once, when the rig is open
 */
export function useRig(options: RigOptions, prepare?: (rig: Rig) => Promise<void>): () => Rig {
  let rig: Rig | undefined
  let opening: Promise<void> | undefined
  const open = async () => {
    rig = await Rig.open(options)
    await prepare?.(rig)
  }
  beforeEach(async (ctx) => {
    await requireFeature(ctx, 'root')
    await requireFeature(ctx, options.kind)
    opening ??= open()
    await opening // what went wrong once goes wrong for each test
  })
  afterAll(() => rig?.close())
  return () => required(rig)
}
