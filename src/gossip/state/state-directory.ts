/** What a node keeps over restarts: its key, its counters, and whom it knew. */
import { createPrivateKey } from 'node:crypto'
import { mkdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { NavstarError } from '../../base/error.ts'
import type { Log } from '../../base/log.ts'
import { createFile } from '../../base/replace-file.ts'
import { generateIdentity } from '../wire/notary.ts'
import { MemberCache } from './member-cache.ts'
import { ReservedCounters } from './reserved-counters.ts'

/** How a state directory is opened. */
export interface StateDirectoryOptions {
  readonly path: string
  /** The cluster that remembered members are of; undefined: the node stands alone. */
  readonly clusterId: string | undefined
  readonly log: Log
}

/** An open state directory. */
export interface StateDirectory {
  readonly privateKeyPem: string
  readonly counters: ReservedCounters
  readonly members: MemberCache
}

/**
 * Opens the directory; makes it, and the node's key, at the first start. A node alone works
 * without one too, with an identity for this life only.
 *
 * @throws NavstarError `GOSSIP_STATE_UNUSABLE` when there is no key to be had, or a broken one
 */
export async function openStateDirectory(options: StateDirectoryOptions): Promise<StateDirectory> {
  const { path, clusterId, log } = options
  try {
    const privateKeyPem = await openIdentity(path, log)
    const counters = await ReservedCounters.open(path, log)
    return {
      privateKeyPem,
      counters,
      members: new MemberCache({ directory: path, clusterId, log }),
    }
  } catch (error) {
    if (error instanceof NavstarError) throw error
    if (clusterId !== undefined) throw unusable(path, error)
    log.warn('keeps no identity: the state directory cannot be used', { path, error })
    const counters = await ReservedCounters.open(undefined, log)
    const members = new MemberCache({ directory: undefined, clusterId, log })
    return { privateKeyPem: generateIdentity().privateKeyPem, counters, members }
  }
}

/** The node's Ed25519 key as PEM; made if there is none. */
export async function openIdentity(directory: string, log: Log): Promise<string> {
  const path = join(directory, 'identity.pem')
  await mkdir(directory, { recursive: true, mode: 0o700 })
  let pem = await readIfThere(path)
  if (pem === undefined) {
    await createFile(path, generateIdentity().privateKeyPem)
    pem = await readFile(path, 'utf8')
    log.info('made an identity for this node', { path })
  }
  const { mode } = await stat(path)
  if ((mode & 0o077) !== 0) log.warn('others can read the key of this node', { path })
  try {
    const { asymmetricKeyType } = createPrivateKey(pem)
    if (asymmetricKeyType !== 'ed25519') throw new Error(`a key of type ${asymmetricKeyType}`)
  } catch (cause) {
    const hint = `Restore ${path}, or remove it: the node then joins as a new one.`
    throw new NavstarError('GOSSIP_STATE_UNUSABLE', { attempt: `read ${path}`, cause, hint })
  }
  return pem
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function unusable(path: string, cause: unknown): NavstarError {
  return new NavstarError('GOSSIP_STATE_UNUSABLE', { attempt: `use ${path}`, cause })
}
