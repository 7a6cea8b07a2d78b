/** The keys of a cluster: one to seal with, any to open with, so that keys change without loss. */
import { createHash, createSecretKey, type KeyObject } from 'node:crypto'
import { NavstarError } from '../../base/error.ts'

/** How long a key is. */
export const KEY_BYTES = 32

/** More keys than a rotation needs. */
const MAX_KEYS = 16

/** One key. */
export interface ClusterKey {
  /** Its name, 8 hex digits: the first bytes of SHA-256 of `navstar key id` and the key. */
  readonly id: string
  /** The same as a number. */
  readonly number: number
  readonly secret: KeyObject
}

/** The keys as they are now; a ring that follows a file changes. */
export interface KeyRing {
  /** What this node seals with. */
  readonly sending: ClusterKey
  /** The key with this number. @returns undefined when the ring has none */
  find(number: number): ClusterKey | undefined
}

/** The keys of a file. */
export interface KeySet extends KeyRing {
  readonly keys: readonly ClusterKey[]
}

/** A key from its 32 bytes. */
export function clusterKey(bytes: Uint8Array): ClusterKey {
  const digest = createHash('sha256').update('navstar key id').update(bytes).digest()
  return {
    id: digest.toString('hex', 0, 4),
    number: digest.readUInt32BE(0),
    secret: createSecretKey(bytes),
  }
}

/** A ring of these keys that seals with one of them. */
export function keySet(keys: readonly ClusterKey[], sending: ClusterKey): KeySet {
  const byNumber = new Map(keys.map((key) => [key.number, key]))
  return { keys, sending, find: (number) => byNumber.get(number) }
}

/**
 * Reads a key file: `{"use": "<key id>", "keys": ["<base64 of 32 bytes>", …]}`.
 *
 * @param path for the error
 * @throws NavstarError `GOSSIP_KEYS_INVALID`
 */
export function parseKeyFile(text: string, path: string): KeySet {
  const { use, keys: texts } = fieldsOf(text, path)
  if (!Array.isArray(texts) || texts.length === 0 || texts.length > MAX_KEYS)
    throw invalid(path, `"keys" must be a list of 1 to ${MAX_KEYS} keys`)
  const keys = texts.map((key: unknown, index) => {
    const bytes = typeof key === 'string' ? parseKeyBytes(key) : undefined
    if (bytes === undefined)
      throw invalid(path, `key ${index + 1} is not the base64 of ${KEY_BYTES} bytes`)
    return clusterKey(bytes)
  })
  if (new Set(keys.map(({ id }) => id)).size < keys.length)
    throw invalid(path, 'the same key is there twice')
  const sending = keys.find(({ id }) => id === use)
  if (sending === undefined)
    throw invalid(path, `"use" must be the id of one of the keys: ${idsOf(keys)}`)
  return keySet(keys, sending)
}

/** The bytes of a key from its base64. @returns undefined when the text is none */
export function parseKeyBytes(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/]{43}=$/.test(text)) return undefined
  return Buffer.from(text, 'base64')
}

/** The content of a key file with these keys. @throws NavstarError `GOSSIP_KEYS_INVALID` */
export function formatKeyFile({ keys, sending }: KeySet): string {
  if (keys.length > MAX_KEYS) {
    const cause = `more than ${MAX_KEYS} keys; remove old ones first`
    throw new NavstarError('GOSSIP_KEYS_INVALID', { attempt: 'write a key file', cause })
  }
  const texts = keys.map(({ secret }) => secret.export().toString('base64'))
  return `${JSON.stringify({ use: sending.id, keys: texts }, null, 2)}\n`
}

function fieldsOf(text: string, path: string): { use?: unknown; keys?: unknown } {
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(path, 'it is no JSON object')
  const strange = Object.keys(value).filter((name) => name !== 'use' && name !== 'keys')
  if (strange.length > 0) throw invalid(path, `unknown field ${JSON.stringify(strange[0])}`)
  return value
}

/** Says nothing of what it found: the parser's message would quote keys. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function idsOf(keys: readonly ClusterKey[]): string {
  return keys.map(({ id }) => id).join(', ')
}

function invalid(path: string, cause: string): NavstarError {
  return new NavstarError('GOSSIP_KEYS_INVALID', { attempt: `read key file ${path}`, cause })
}
