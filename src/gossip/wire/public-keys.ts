import { Buffer } from 'node:buffer'
import { createPublicKey, hash, type KeyObject } from 'node:crypto'
import type { NodeId } from '../../model/node-id.ts'
import { PUBLIC_KEY_BYTES } from './statements.ts'

/** What stands before the 32 bytes of an Ed25519 public key in DER. **Source:** RFC 8410 §4 */
const DER_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')

/** The node id of a public key: the first 16 bytes of its SHA-256. */
export function nodeIdOf(publicKey: Uint8Array): NodeId {
  return hash('sha256', publicKey, 'hex').slice(0, 32) as NodeId
}

/** A key object of the 32 bytes of an Ed25519 public key. */
export function publicKeyOf(bytes: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([DER_PREFIX, bytes]), format: 'der', type: 'spki' })
}

/** The 32 bytes of an Ed25519 public key. */
export function bytesOfPublicKey(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ format: 'der', type: 'spki' }).subarray(DER_PREFIX.length))
}

/** A public key, ready to check with. */
export interface PublicKey {
  readonly node: NodeId
  readonly object: KeyObject
  /** The certificate that was checked last and is the CA's. */
  certificate?: Uint8Array
}

/**
 * The public keys used last: making a key object takes a quarter of the time of checking a
 * signature. About 700 bytes each.
 */
export class PublicKeys {
  readonly #mostKeys: number
  readonly #keys = new Map<string, PublicKey>()

  constructor(mostKeys: number) {
    this.#mostKeys = mostKeys
  }

  /** How many are held. */
  get size(): number {
    return this.#keys.size
  }

  /** The key of these bytes; undefined when they cannot be one. */
  get(bytes: Uint8Array): PublicKey | undefined {
    if (bytes.length !== PUBLIC_KEY_BYTES) return undefined
    const name = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
    const held = this.#keys.get(name)
    if (held !== undefined) this.#keys.delete(name)
    const key = held ?? { node: nodeIdOf(bytes), object: publicKeyOf(bytes) }
    this.#keys.set(name, key)
    if (this.#keys.size > this.#mostKeys) this.#dropOldest()
    return key
  }

  #dropOldest(): void {
    for (const name of this.#keys.keys()) {
      this.#keys.delete(name)
      return
    }
  }
}
