import { fetchAdmin } from '../admin/client.ts'
import { type Command, type GivenFlags, JSON_FLAG } from './command.ts'
import { ADMIN_FLAGS, configOf } from './flags.ts'

/** `navstar leave`: this node goes for good. */
export const leaveCommand: Command = {
  name: 'leave',
  summary: 'Tell the cluster that this node goes for good',
  description: [
    'The other nodes stop sending connections here at once and forget the node in time. To restart',
    'or to upgrade, just stop the daemon instead. Stop it after this too; a start joins anew.',
  ].join('\n'),
  flags: [{ name: 'yes', help: 'Really leave' }, JSON_FLAG, ...ADMIN_FLAGS],
  run,
}

const EXIT_USAGE = 64

async function run(given: GivenFlags): Promise<number> {
  const { admin } = await configOf(given)
  if (!given.switches.has('yes')) {
    console.error('The other nodes will drop everything that runs here. Add --yes if you mean it.')
    return EXIT_USAGE
  }
  const answer = (await fetchAdmin(admin.listen, '/v1/navstar/leave', { method: 'POST' })) as {
    left: string
  }
  if (given.switches.has('json')) console.log(JSON.stringify(answer, null, 2))
  else console.log(`node ${answer.left} has left; stop the daemon now`)
  return 0
}
