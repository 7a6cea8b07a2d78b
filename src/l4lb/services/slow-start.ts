import { formatEndpoint, type Service } from '../../model/vip.ts'
import type { TurnTimes } from './shaper.ts'

/** Weights are so many times as large while a backend warms up, so that shares can be small. */
const STEPS = 8

/** A new backend's share grows each time after so much of its slow start. */
export const SLOW_START_STEP_SHARE: number = 1 / STEPS

/** Gives new backends a share that grows in steps from an eighth to the whole; none is ever left out. */
export function warmUp(service: Service, turns: TurnTimes, nowMs: number): Service {
  if (!isWarming(service, turns, nowMs)) return service
  const backends = service.backends.map((backend) => {
    return {
      ...backend,
      weight: backend.weight * stepsOf(service, turns.get(formatEndpoint(backend)), nowMs),
    }
  })
  return { ...service, backends }
}

/** Whether some backends have less than their share, and others have it: all alike is no matter. */
export function isWarming(service: Service, turns: TurnTimes, nowMs: number): boolean {
  if (service.options?.slowStartSeconds === undefined) return false
  const active = service.backends.filter(({ weight }) => weight > 0)
  return active.some((each) => stepsOf(service, turns.get(formatEndpoint(each)), nowMs) < STEPS)
}

function stepsOf({ options }: Service, sinceMs: number | undefined, nowMs: number): number {
  const wholeMs = (options?.slowStartSeconds ?? 0) * 1000
  const ageMs = nowMs - (sinceMs ?? Number.NEGATIVE_INFINITY)
  return ageMs >= wholeMs ? STEPS : 1 + Math.floor((ageMs / wholeMs) * (STEPS - 1))
}
