import { type FSWatcher, watch } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { NavstarError } from '../../base/error.ts'
import type { Closeable } from '../../base/scope.ts'
import { MASTER_PORT, type MasterAddress, parseHostPort } from './master-address.ts'

/**
 * Reads a `master_list`: `["10.0.0.1", "10.0.0.2:5050"]`.
 *
 * **Source:** DC/OS `gen/calc.py` (master_list)
 *
 * @throws NavstarError MASTERS_UNREADABLE
 */
export async function readMasterList(
  path: string,
  isTls: boolean,
): Promise<readonly MasterAddress[]> {
  try {
    return parseMasterList(await readFile(path, 'utf8'), isTls)
  } catch (cause) {
    throw new NavstarError('MASTERS_UNREADABLE', { attempt: `read ${path}`, cause })
  }
}

/** @throws Error that names what is wrong */
export function parseMasterList(text: string, isTls: boolean): readonly MasterAddress[] {
  const entries: unknown = JSON.parse(text)
  if (!Array.isArray(entries)) throw new Error('expected a JSON array of addresses')
  if (entries.length === 0) throw new Error('the list is empty')
  return entries.map((entry: unknown) => {
    const place = typeof entry === 'string' ? parseHostPort(entry, MASTER_PORT) : undefined
    if (place === undefined) throw new Error(`${JSON.stringify(entry)} is no address`)
    return { address: place.host, port: place.port, isTls }
  })
}

/**
 * Tells when a file may have changed. The directory is watched, since files are replaced; where
 * that is impossible (no such directory yet) only the regular readings notice.
 */
export function watchFile(path: string, onChange: () => void): Closeable {
  let watcher: FSWatcher | undefined
  try {
    watcher = watch(dirname(path), (_event, name) => {
      if (name === null || name === basename(path)) onChange()
    })
    watcher.on('error', () => watcher?.close())
  } catch {
    watcher = undefined
  }
  return { close: () => watcher?.close() }
}
