import { readFile } from 'node:fs/promises'
import { NavstarError } from '../base/error.ts'

/** Reads a JSON configuration file. @throws NavstarError `CONFIG_INVALID` */
export async function readConfigFile(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown
  } catch (cause) {
    throw new NavstarError('CONFIG_INVALID', { attempt: `read ${path}`, cause })
  }
}
