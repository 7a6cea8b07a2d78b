/** Changes a key file step by step, as a change of keys without loss needs: add, use, remove. */
import { randomBytes } from 'node:crypto'
import { NavstarError } from '../../base/error.ts'
import { createFile, replaceFile } from '../../base/replace-file.ts'
import { readKeyFile } from '../transport/key-file.ts'
import {
  type ClusterKey,
  clusterKey,
  formatKeyFile,
  KEY_BYTES,
  type KeySet,
  keySet,
} from '../transport/key-ring.ts'

/** The next step. Each is taken on every node before the next one is. */
export type KeyChange =
  /** A new key; makes the file when there is none. */
  | { readonly kind: 'add' }
  /** Seal with this key from now on. */
  | { readonly kind: 'use'; readonly id: string }
  | { readonly kind: 'remove'; readonly id: string }

/** The ids of the keys in a file. */
export interface KeyIds {
  /** What is sealed with. */
  readonly used: string
  readonly all: readonly string[]
}

/** The ids of the keys in a file. @throws NavstarError `GOSSIP_KEYS_INVALID` */
export async function readKeyIds(path: string): Promise<KeyIds> {
  return idsOf(await readKeyFile(path))
}

/** Changes the file; a running daemon follows within seconds. @throws NavstarError `GOSSIP_KEYS_INVALID` */
export async function changeKeys(path: string, change: KeyChange): Promise<KeyIds> {
  if (change.kind === 'add') {
    const key = clusterKey(randomBytes(KEY_BYTES))
    const first = keySet([key], key)
    if (await createFile(path, formatKeyFile(first))) return idsOf(first)
    const { keys, sending } = await readKeyFile(path)
    return write(path, keySet([...keys, key], sending))
  }
  const { keys, sending } = await readKeyFile(path)
  const key = keys.find(({ id }) => id === change.id)
  if (key === undefined) throw refused(path, `it has no key ${change.id}`)
  if (change.kind === 'use') return write(path, keySet(keys, key))
  if (key.id === sending.id) throw refused(path, `key ${key.id} is in use; use another first`)
  return write(path, keySet(without(keys, key), sending))
}

async function write(path: string, keys: KeySet): Promise<KeyIds> {
  await replaceFile(path, formatKeyFile(keys))
  return idsOf(keys)
}

function without(keys: readonly ClusterKey[], key: ClusterKey): ClusterKey[] {
  return keys.filter(({ id }) => id !== key.id)
}

function idsOf({ keys, sending }: KeySet): KeyIds {
  return { used: sending.id, all: keys.map(({ id }) => id) }
}

function refused(path: string, cause: string): NavstarError {
  const hint = '`navstar keys --file FILE` lists the keys.'
  return new NavstarError('GOSSIP_KEYS_INVALID', { attempt: `change ${path}`, cause, hint })
}
