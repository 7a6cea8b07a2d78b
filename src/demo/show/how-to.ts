import type { Cluster } from '../cluster/cluster.ts'
import { COMMANDS } from '../control/commands.ts'
import type { DemoPlaces } from '../places/places.ts'

/** What a user can try while the demo stays up. */
export function howTo({ hosts }: Cluster, { stateDirectory }: DemoPlaces, name: string): string {
  const [first = 'h1'] = hosts.map((host) => host.name)
  const commands = COMMANDS.map(
    ({ name: command, usage, summary }) => `  ./${`${command} ${usage}`.padEnd(24)} ${summary}`,
  )
  return [
    '',
    'The cluster stays up. Try, in another terminal:',
    `  cd ${stateDirectory}`,
    `  ./${first} curl http://${name}/`,
    `  ./${first} dig ${name}`,
    `  ./${first} ${process.cwd()}/navstar vips`,
    `  ./${first} ${process.cwd()}/navstar nodes`,
    ...commands,
    'Ctrl-C ends it and removes everything.',
  ].join('\n')
}
