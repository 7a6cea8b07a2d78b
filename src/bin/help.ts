import type { Command, Flag } from './command.ts'

/** What `navstar --help` prints. */
export function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length))
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`)
  return [
    'navstar gives the tasks of a Mesos cluster virtual IPs and names, on every node.',
    '',
    'Usage: navstar COMMAND [OPTIONS]',
    '',
    ...lines,
    '',
    'navstar COMMAND --help tells more. Most commands take --json.',
    'Exit codes: 0 fine, 1 something is wrong, 64 wrong usage or configuration.',
  ].join('\n')
}

/** What `navstar COMMAND --help` prints. */
export function commandHelp({ name, description, flags, operands }: Command): string {
  const beside = operands === undefined ? '' : ` ${operands}`
  const usage = `Usage: navstar ${name}${beside}${flags.length > 0 ? ' [OPTIONS]' : ''}`
  const shown = flags.map((flag) => [flagText(flag), flag] as const)
  const width = Math.max(0, ...shown.map(([text]) => text.length))
  const lines = shown.map(
    ([text, flag]) => `  ${text.padEnd(width)}  ${flag.help}${defaultOf(flag)}`,
  )
  return [usage, '', description, ...(lines.length > 0 ? ['', ...lines] : [])].join('\n')
}

function flagText({ name, placeholder }: Flag): string {
  return placeholder === undefined ? `--${name}` : `--${name} ${placeholder}`
}

function defaultOf({ defaultText }: Flag): string {
  return defaultText === undefined ? '' : ` (default ${defaultText})`
}
