/** Rounds of observe, plan and apply, as the reconcile loop makes them. */
import { expect } from 'vitest'
import { planOperations } from '../../../src/l4lb/plan.ts'
import type { OperationOutcome, Plane } from '../../../src/l4lb/plane.ts'
import type { Services } from '../services.ts'

/** One round. */
export async function round(
  plane: Plane,
  desired: Services,
  mayPrune = true,
): Promise<readonly OperationOutcome[]> {
  const observed = await plane.observe()
  const operations = planOperations({ desired, observed, plane, mayPrune })
  return operations.length > 0 ? plane.apply(operations) : []
}

/** Rounds until one has no failure: only then does the loop stop to read the kernel. */
export async function converge(plane: Plane, desired: Services, maxRounds = 3): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const failures = (await round(plane, desired)).filter(({ error }) => error !== undefined)
    if (failures.length === 0) return
    if (attempt === maxRounds) expect(failures, `after ${maxRounds} rounds`).toEqual([])
  }
}

/** Expects that a plane which never saw the kernel before finds exactly the desired services. */
export async function expectExactly(fresh: Plane, desired: Services): Promise<void> {
  const { services, defects } = await fresh.observe()
  expect(defects).toEqual([])
  const wanted = [...desired].map(([key, each]) => [key, fresh.render(each)] as const)
  expect(new Map([...services].sort())).toEqual(new Map(wanted.sort()))
}
