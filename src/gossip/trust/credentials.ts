/** The cluster CA's key and this node's certificate, as an operator gives them. */
import { createPublicKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { NavstarError } from '../../base/error.ts'
import type { GossipOptions } from '../config.ts'
import { bytesOfPublicKey } from '../wire/public-keys.ts'

/** What certifies members; empty without a CA. */
export interface Credentials {
  /** 32 bytes. */
  readonly caKey?: Uint8Array
  /** 64 bytes. */
  readonly certificate?: Uint8Array
}

/** Reads both. @throws NavstarError `CONFIG_INVALID` */
export async function readCredentials(options: GossipOptions): Promise<Credentials> {
  const { caKey, certificate } = options
  if (caKey === undefined || certificate === undefined) return {}
  return {
    caKey: await readBytes('gossip-ca', caKey, 32),
    certificate: await readBytes('gossip-certificate', certificate, 64),
  }
}

/** Base64, or a file with base64, or with a public key as PEM. */
async function readBytes(name: string, text: string, sizeBytes: number): Promise<Uint8Array> {
  const attempt = `read ${name}`
  const given = fromBase64(text)
  if (given?.length === sizeBytes) return given
  let content: string
  try {
    content = (await readFile(text, 'utf8')).trim()
  } catch (cause) {
    throw new NavstarError('CONFIG_INVALID', { attempt, cause })
  }
  const bytes = content.startsWith('-----') ? fromPem(content) : fromBase64(content)
  if (bytes?.length === sizeBytes) return bytes
  const cause = `${text} holds no base64 of ${sizeBytes} bytes`
  throw new NavstarError('CONFIG_INVALID', { attempt, cause })
}

function fromBase64(text: string): Uint8Array | undefined {
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text)
    ? new Uint8Array(Buffer.from(text, 'base64'))
    : undefined
}

function fromPem(text: string): Uint8Array | undefined {
  try {
    const key = createPublicKey(text)
    return key.asymmetricKeyType === 'ed25519' ? bytesOfPublicKey(key) : undefined
  } catch {
    return undefined
  }
}
