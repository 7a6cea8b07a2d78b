import type { World } from './schedule.ts'

/** The same world by a wall clock that is wrong, and may be put forward and back. */
export function skewed({ schedule, random }: World, offsetMs: () => number): World {
  return {
    random,
    schedule: {
      nowMs: () => schedule.nowMs(),
      wallMs: () => schedule.wallMs() + offsetMs(),
      after: (delayMs, run) => schedule.after(delayMs, run),
    },
  }
}
