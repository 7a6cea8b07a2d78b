/** A dry run: what the daemon would do in its first round, without changing anything. */
import { Registry } from 'prom-client'
import type { Clock } from '../base/clock.ts'
import type { NavstarError } from '../base/error.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { Scope } from '../base/scope.ts'
import type { DaemonConfig } from '../config/config.ts'
import { planOnce, selectPlane, startAdvertising } from '../l4lb/l4lb.ts'
import { type Mesos, startMesos } from '../mesos/mesos.ts'

/** Desired, observed and the difference, as lines of text. */
export interface PlanReport {
  readonly plane: { readonly kind: string; readonly reason: string }
  readonly desired: readonly string[]
  readonly observed: readonly string[]
  readonly operations: readonly string[]
  readonly problems: readonly string[]
}

/** What the report is made from. */
export interface PlanReportParts {
  readonly config: DaemonConfig
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly scope: Scope
}

/**
 * Reads Mesos and the kernel once; knows nothing of other nodes.
 *
 * @throws NavstarError what stood in the way of either
 */
export async function reportPlan({ config, ...world }: PlanReportParts): Promise<PlanReport> {
  const { choice } = await selectPlane(config.l4lb, config.gossip.stateDirectory)
  const { kind, reason } = choice
  const mesos = startMesos({ ...world, options: config.mesos, registry: new Registry() })
  await firstPoll(mesos, world)
  const nodeIp = config.nodeIp ?? mesos.agentIp()
  const { records, problems } = startAdvertising({ ...world, tasks: mesos.tasks })
  const options = config.l4lb
  const plan = await planOnce(kind, {
    options,
    nodeIp: () => nodeIp,
    records: records.snapshot.rows,
  })
  const texts = [...problems(), ...plan.problems].map(problemText)
  return { plane: { kind, reason }, ...plan, problems: texts }
}

/** A problem as the report has it. */
export function problemText({ code, message }: NavstarError): string {
  return `${code}: ${message}`
}

/** Waits until the agent answered. @throws NavstarError why it did not */
async function firstPoll(
  mesos: Mesos,
  { clock, scope }: Pick<PlanReportParts, 'clock' | 'scope'>,
): Promise<void> {
  while (!mesos.tasks.snapshot.isComplete) {
    const { lastError } = mesos.status()
    if (lastError !== undefined) throw lastError
    await clock.sleep(POLL_MS, { signal: scope.signal })
  }
}

const POLL_MS = 10
