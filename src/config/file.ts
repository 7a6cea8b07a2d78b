import { readFileSync } from 'node:fs'
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

/** Reads certificates, so that a wrong path is told with all other problems. @throws Error */
export function readPemFile(path: string): string {
  const text = readFileSync(path, 'utf8')
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text
  throw new Error('expected certificates in PEM')
}
