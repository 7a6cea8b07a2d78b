/** Weights as slots: a plane draws one of N slots with equal chance. */
import type { Backend } from '../model/vip.ts'

/** Slots that one service can have at most; larger sums of weights are scaled down to it. */
export const SLOT_LIMIT = 1024

/**
 * The backends of a service, each as often as its weight, reduced by the greatest common
 * divisor. A backend of weight 0 has no slot. Every other one keeps at least one.
 */
export function slotsOf(backends: readonly Backend[]): Backend[] {
  const active = backends.filter((backend) => backend.weight > 0)
  const divisor = active.reduce((common, { weight }) => greatestCommonDivisor(common, weight), 0)
  const total = active.reduce((sum, { weight }) => sum + weight / divisor, 0)
  const limit = Math.max(SLOT_LIMIT, active.length)
  const scale = total > limit ? (limit - active.length) / total : 1
  return active.flatMap((backend) => {
    const share = backend.weight / divisor
    const count = scale === 1 ? share : 1 + Math.floor(share * scale)
    return Array.from({ length: count }, () => backend)
  })
}

function greatestCommonDivisor(left: number, right: number): number {
  return right === 0 ? left : greatestCommonDivisor(right, left % right)
}
