/** `navstar`: argv → subcommand → exit code. */
import { NavstarError, toNavstarError } from '../base/error.ts'
import { agentCommand } from './agent.ts'
import { certifyCommand, identityCommand } from './certify.ts'
import type { Command } from './command.ts'
import { demoCommand } from './demo.ts'
import { doctorCommand } from './doctor.ts'
import { parseFlags } from './flags.ts'
import { commandHelp, overview } from './help.ts'
import { keysCommand } from './keys.ts'
import { leaveCommand } from './leave.ts'
import { mesosCommand } from './mesos.ts'
import { nodesCommand } from './nodes.ts'
import { planCommand } from './plan.ts'
import { planeCommand } from './plane.ts'
import { statusCommand } from './status.ts'
import { vipsCommand } from './vips.ts'

const COMMANDS: readonly Command[] = [
  agentCommand,
  statusCommand,
  vipsCommand,
  nodesCommand,
  mesosCommand,
  planCommand,
  planeCommand,
  doctorCommand,
  leaveCommand,
  keysCommand,
  identityCommand,
  certifyCommand,
  demoCommand,
]

/** Exit codes: 0 fine, 1 something is wrong, 64 wrong usage or configuration. */
const EXIT_FAILURE = 1
const EXIT_USAGE = 64

async function main(argv: readonly string[]): Promise<number> {
  const [name = '--help', ...rest] = argv
  if (['--help', '-h', 'help'].includes(name)) {
    console.log(overview(COMMANDS))
    return 0
  }
  const command = COMMANDS.find((candidate) => candidate.name === name)
  if (command === undefined) {
    console.error(`navstar has no command '${name}'.\n\n${overview(COMMANDS)}`)
    return EXIT_USAGE
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    console.log(commandHelp(command))
    return 0
  }
  return command.run(parseFlags(command, rest))
}

function report(error: NavstarError): number {
  console.error(`error ${error.code}: ${error.message}\n  hint: ${error.hint}`)
  return error.code === 'CONFIG_INVALID' ? EXIT_USAGE : EXIT_FAILURE
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const known = toNavstarError(error, 'run the command')
  process.exitCode = report(known)
  if (!(error instanceof NavstarError)) console.error(error)
}
