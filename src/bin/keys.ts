import { NavstarError } from '../base/error.ts'
import { changeKeys, type KeyChange, type KeyIds, readKeyIds } from '../gossip/gossip.ts'
import { type Command, type GivenFlags, JSON_FLAG } from './command.ts'

/** `navstar keys`: the keys of a cluster. */
export const keysCommand: Command = {
  name: 'keys',
  summary: 'Make and change the key file of a cluster',
  description: [
    'The file is the same on every node. Without a change it lists the keys by id. To change keys',
    'without loss: add a key and copy the file to every node, use it and copy, remove the old and',
    'copy. Running daemons follow the file within seconds.',
  ].join('\n'),
  flags: [
    { name: 'file', placeholder: 'FILE', help: 'The key file (--gossip-key-file of the agent)' },
    { name: 'add', help: 'Add a new key; makes the file when there is none' },
    { name: 'use', placeholder: 'ID', help: 'Seal with this key from now on' },
    { name: 'remove', placeholder: 'ID', help: 'Remove a key' },
    JSON_FLAG,
  ],
  run,
}

async function run({ values, switches }: GivenFlags): Promise<number> {
  const { file, use, remove } = values
  const changes: KeyChange[] = [
    ...(switches.has('add') ? [{ kind: 'add' } as const] : []),
    ...(use === undefined ? [] : [{ kind: 'use', id: use } as const]),
    ...(remove === undefined ? [] : [{ kind: 'remove', id: remove } as const]),
  ]
  const [change] = changes
  if (file === undefined || changes.length > 1) {
    const cause = file === undefined ? '--file is missing' : 'one change at a time'
    throw new NavstarError('CONFIG_INVALID', { attempt: 'navstar keys', cause, hint: HINT })
  }
  const ids = change === undefined ? await readKeyIds(file) : await changeKeys(file, change)
  console.log(switches.has('json') ? JSON.stringify(ids, null, 2) : idsText(ids))
  return 0
}

const HINT = 'See navstar keys --help.'

function idsText({ used, all }: KeyIds): string {
  return all.map((id) => (id === used ? `${id}  in use` : id)).join('\n')
}
