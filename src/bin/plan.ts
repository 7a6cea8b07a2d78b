import { fetchAdmin } from '../admin/client.ts'
import { systemClock } from '../base/clock.ts'
import { NavstarError } from '../base/error.ts'
import { silentLog } from '../base/log.ts'
import { systemRandom } from '../base/random.ts'
import { Scope } from '../base/scope.ts'
import type { DaemonConfig } from '../config/config.ts'
import { type PlanReport, reportPlan } from '../daemon/plan-report.ts'
import { type Command, type GivenFlags, JSON_FLAG } from './command.ts'
import { CONFIG_FLAGS, configOf } from './flags.ts'

/** `navstar plan`: a dry run of one round. */
export const planCommand: Command = {
  name: 'plan',
  summary: 'Print what should be, what the kernel has, and what would be done; change nothing',
  description: [
    'Beside a running daemon, shows what that one wants, and is empty while all is well. Without one',
    'reads the Mesos agent and the kernel once; other nodes are not known then. Exits with 1 when',
    'there is something to do.',
  ].join('\n'),
  flags: [
    JSON_FLAG,
    { name: 'local', help: 'Do not ask the daemon: only this node’s own tasks' },
    ...CONFIG_FLAGS,
  ],
  run,
}

async function run(given: GivenFlags): Promise<number> {
  const config = await configOf(given)
  const asked = given.switches.has('local') ? undefined : await askDaemon(config)
  const report = asked ?? (await readHere(config))
  console.log(given.switches.has('json') ? JSON.stringify(report, null, 2) : planText(report))
  return report.operations.length === 0 ? 0 : 1
}

/** The running daemon's report; undefined when none runs. */
async function askDaemon({ admin }: DaemonConfig): Promise<PlanReport | undefined> {
  try {
    return (await fetchAdmin(admin.listen, '/v1/navstar/plan')) as PlanReport
  } catch (error) {
    const isAbsent =
      error instanceof NavstarError && ['ADMIN_UNREACHABLE', 'ADMIN_NOT_FOUND'].includes(error.code)
    if (isAbsent) return undefined
    throw error
  }
}

async function readHere(config: DaemonConfig): Promise<PlanReport> {
  const failed = Promise.withResolvers<never>()
  const scope = new Scope((error) => failed.reject(error))
  try {
    const world = { clock: systemClock, random: systemRandom, log: silentLog, scope }
    return await Promise.race([reportPlan({ ...world, config }), failed.promise])
  } finally {
    await scope.close()
  }
}

/** The report as text, in three parts. */
function planText({ plane, desired, observed, operations, problems }: PlanReport): string {
  return [
    `plane ${plane.kind}: ${plane.reason}`,
    '',
    section('desired', desired),
    section('observed', observed),
    section('operations', operations),
    ...(problems.length > 0 ? [section('problems', problems)] : []),
  ].join('\n')
}

function section(title: string, lines: readonly string[]): string {
  const shown = lines.length > 0 ? lines : ['none']
  return `${title} (${lines.length})\n${shown.map((line) => `  ${line}`).join('\n')}\n`
}
