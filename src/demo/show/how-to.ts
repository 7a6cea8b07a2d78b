import type { Cluster } from '../cluster/cluster.ts'
import { COMMANDS } from '../control/commands.ts'
import type { DemoPlaces } from '../places/places.ts'

/** What a user can try while the demo stays up. */
export function howTo({ hosts }: Cluster, { stateDirectory }: DemoPlaces, name: string): string {
  const names = hosts.map((host) => host.name)
  const [first = 'h1'] = names
  const joined = [...names, `h${names.length + 1}`]
  const rows = COMMANDS.map(({ name: command, usage, summary }) => {
    const isAfterJoin = command === 'cut'
    return [`./${command} ${usage(isAfterJoin ? joined : names)}`, summary] as const
  })
  const width = Math.max(...rows.map(([typed]) => typed.length))
  const commands = rows.map(([typed, summary]) => `  ${typed.padEnd(width)}  ${summary}`)
  return [
    '',
    'The cluster stays up. Try, in another terminal:',
    `  cd ${stateDirectory}`,
    `  ./${first} curl http://${name}/`,
    `  ./${first} dig ${name}`,
    `  ./${first} ${process.cwd()}/navstar vips`,
    `  ./${first} ${process.cwd()}/navstar nodes`,
    `  ./${first} ${process.cwd()}/navstar status`,
    ...commands,
    'Ctrl-C ends it and removes everything.',
  ].join('\n')
}
