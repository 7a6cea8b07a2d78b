import { parseArgs } from 'node:util'
import { NavstarError } from '../base/error.ts'
import { type ConfigSources, composeConfig, type DaemonConfig } from '../config/config.ts'
import { readConfigFile } from '../config/file.ts'
import { OPTIONS } from '../config/options.ts'
import type { Command, Flag, GivenFlags } from './command.ts'

/** The daemon's options as flags, and the file that they may stand in. */
export const CONFIG_FLAGS: readonly Flag[] = [
  ...Object.values(OPTIONS).map(({ name, placeholder, help, defaultText }) => ({
    name,
    placeholder,
    help,
    ...(defaultText !== undefined && { defaultText }),
  })),
  {
    name: 'config',
    placeholder: 'FILE',
    help: 'A JSON file with the same options by name; environment: NAVSTAR_<NAME>',
  },
]

/** What commands take that only ask the daemon. */
export const ADMIN_FLAGS: readonly Flag[] = CONFIG_FLAGS.filter(({ name }) =>
  ['admin-listen', 'config'].includes(name),
)

/** Parses the arguments of a command. @throws NavstarError `CONFIG_INVALID` */
export function parseFlags(command: Command, args: readonly string[]): GivenFlags {
  const options = Object.fromEntries(
    command.flags.map(({ name, placeholder }) => [
      name,
      { type: placeholder === undefined ? ('boolean' as const) : ('string' as const) },
    ]),
  )
  try {
    const allowPositionals = command.operands !== undefined
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals })
    const entries = Object.entries(values)
    return {
      values: Object.fromEntries(
        entries.filter(([, value]) => typeof value === 'string'),
      ) as Record<string, string>,
      switches: new Set(entries.filter(([, value]) => value === true).map(([name]) => name)),
      operands: positionals,
    }
  } catch (cause) {
    const hint = `See navstar ${command.name} --help.`
    throw new NavstarError('CONFIG_INVALID', { attempt: `navstar ${command.name}`, cause, hint })
  }
}

/** The daemon's configuration from file, environment and flags. @throws NavstarError `CONFIG_INVALID` */
export async function configOf({ values }: GivenFlags): Promise<DaemonConfig> {
  const { config: path, ...flags } = values
  const file = path === undefined ? undefined : await readConfigFile(path)
  const sources: ConfigSources = { environment: process.env, flags }
  return composeConfig(file === undefined ? sources : { ...sources, file })
}
