import { systemClock } from '../base/clock.ts'
import { openLog } from '../base/log.ts'
import { systemRandom } from '../base/random.ts'
import { Scope } from '../base/scope.ts'
import { startDaemon } from '../daemon/compose.ts'
import type { Command, GivenFlags } from './command.ts'
import { CONFIG_FLAGS, configOf } from './flags.ts'

/** `navstar agent`: the daemon. */
export const agentCommand: Command = {
  name: 'agent',
  summary: 'Run the daemon of this node',
  description: [
    'Reads the tasks of the local Mesos agent, serves their VIPs in the kernel and answers their',
    'names. Stopping it, or killing it, leaves the data path as it is; the next start adopts it.',
  ].join('\n'),
  flags: CONFIG_FLAGS,
  run,
}

async function run(given: GivenFlags): Promise<number> {
  const config = await configOf(given)
  const log = openLog(config.logLevel)
  const failed = Promise.withResolvers<never>()
  const scope = new Scope((error) => {
    log.error('a part of the daemon failed', { error })
    failed.reject(error)
  })
  const stopped = signalled()
  try {
    await startDaemon({ config, clock: systemClock, random: systemRandom, log, scope })
    log.info('stopping', { signal: await Promise.race([stopped, failed.promise]) })
  } finally {
    await scope.close()
  }
  return 0
}

/** Resolves with the first signal that asks the process to end. */
function signalled(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal))
  return promise
}
