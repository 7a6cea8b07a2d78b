/**
 * Packets: what of them is open, and how the rest is sealed. One subkey per session comes from the
 * cluster's key, so a nonce is a counter and never repeats.
 *
 * **Source:** docs/gossip.md, Bytes; NIST SP 800-38D §8.2.1; RFC 5869
 */
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
} from 'node:crypto'
import type { NodeId } from '../../model/node-id.ts'
import type { ClusterKey } from './key-ring.ts'

/** What a packet is for. */
export type PacketType = 'messages' | 'challenge' | 'response' | 'open-stream'

/** The number of each type on the wire is its place here. */
const TYPES: readonly PacketType[] = ['messages', 'challenge', 'response', 'open-stream']

/** The number of this format. */
export const FORMAT_VERSION = 1

const MAGIC = 0x4e2a
const KEY_AT = 4
const SESSION_AT = 8
const COUNTER_AT = 24
const HEADER_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const NODE_BYTES = 16
const SENDER_BYTES = NODE_BYTES + 2

/** How long a session id is. */
export const SESSION_BYTES = 16

/** What a packet adds to its content. */
export const SEAL_BYTES: number = HEADER_BYTES + SENDER_BYTES + TAG_BYTES

/** What everyone can read of a packet. */
export interface PacketHeader {
  readonly type: PacketType
  /** Number of the key. */
  readonly key: number
  /** Key and session as text, to look the session up by. */
  readonly sessionId: string
  readonly counter: number
}

/** What is under the seal. */
export interface Opened {
  readonly sender: NodeId
  /** Where the sender's gossip listens. */
  readonly port: number
  readonly content: Buffer
}

/** A packet to be made. */
export interface PacketParts {
  readonly type: PacketType
  readonly key: ClusterKey
  readonly subkey: KeyObject
  readonly session: Uint8Array
  readonly counter: number
  readonly content: Uint8Array
}

/** Reads the header. Costs next to nothing, so that junk does not either. */
export function readHeader(packet: Buffer): PacketHeader | 'junk' | 'version' {
  if (packet.length < SEAL_BYTES || packet.readUInt16BE(0) !== MAGIC) return 'junk'
  if (packet[2] !== FORMAT_VERSION) return 'version'
  const type = TYPES[packet[3] ?? TYPES.length]
  const counter = packet.readUInt32BE(COUNTER_AT) * 2 ** 32 + packet.readUInt32BE(COUNTER_AT + 4)
  if (type === undefined || counter > Number.MAX_SAFE_INTEGER) return 'junk'
  const sessionId = packet.toString('latin1', KEY_AT, COUNTER_AT)
  return { type, key: packet.readUInt32BE(KEY_AT), sessionId, counter }
}

/** The session in a packet. */
export function sessionOf(packet: Buffer): Buffer {
  return packet.subarray(SESSION_AT, COUNTER_AT)
}

/** The key of one session. */
export function deriveSubkey(key: ClusterKey, session: Uint8Array): KeyObject {
  const bytes = hkdfSync('sha256', key.secret, session, 'navstar gossip 1', 32)
  return createSecretKey(new Uint8Array(bytes))
}

/** Seals what this node says and opens what others said, within one cluster. */
export class Sealer {
  /** The header is copied before the cluster id for each packet. */
  readonly #authenticated: Buffer
  readonly #nonce: Buffer = Buffer.alloc(NONCE_BYTES)
  readonly #sender: Buffer

  /** @param port where this node's gossip listens */
  constructor({ clusterId, node, port }: { clusterId: string; node: NodeId; port: number }) {
    this.#authenticated = Buffer.concat([Buffer.alloc(HEADER_BYTES), Buffer.from(clusterId)])
    this.#sender = Buffer.alloc(SENDER_BYTES)
    this.#sender.write(node, 'hex')
    this.#sender.writeUInt16BE(port, NODE_BYTES)
  }

  seal({ type, key, subkey, session, counter, content }: PacketParts): Buffer {
    const packet = Buffer.allocUnsafe(SEAL_BYTES + content.length)
    packet.writeUInt16BE(MAGIC, 0)
    packet[2] = FORMAT_VERSION
    packet[3] = TYPES.indexOf(type)
    packet.writeUInt32BE(key.number, KEY_AT)
    packet.set(session, SESSION_AT)
    packet.writeUInt32BE(Math.floor(counter / 2 ** 32), COUNTER_AT)
    packet.writeUInt32BE(counter >>> 0, COUNTER_AT + 4)
    const cipher = createCipheriv('aes-256-gcm', subkey, this.#nonceOf(packet))
    cipher.setAAD(this.#authenticatedOf(packet))
    // The plain text is put where the sealed one will be, which spares a buffer.
    packet.set(this.#sender, HEADER_BYTES)
    packet.set(content, HEADER_BYTES + SENDER_BYTES)
    packet.set(cipher.update(packet.subarray(HEADER_BYTES, -TAG_BYTES)), HEADER_BYTES)
    cipher.final()
    packet.set(cipher.getAuthTag(), packet.length - TAG_BYTES)
    return packet
  }

  /** @returns undefined when the seal is not that of this key, header and cluster */
  open(packet: Buffer, subkey: KeyObject): Opened | undefined {
    const cipher = createDecipheriv('aes-256-gcm', subkey, this.#nonceOf(packet), {
      authTagLength: TAG_BYTES,
    })
    cipher.setAAD(this.#authenticatedOf(packet))
    cipher.setAuthTag(packet.subarray(-TAG_BYTES))
    const plain = cipher.update(packet.subarray(HEADER_BYTES, -TAG_BYTES))
    try {
      cipher.final()
    } catch {
      return undefined
    }
    return {
      sender: plain.toString('hex', 0, NODE_BYTES) as NodeId,
      port: plain.readUInt16BE(NODE_BYTES),
      content: plain.subarray(SENDER_BYTES),
    }
  }

  #nonceOf(packet: Buffer): Buffer {
    packet.copy(this.#nonce, NONCE_BYTES - 8, COUNTER_AT, HEADER_BYTES)
    return this.#nonce
  }

  #authenticatedOf(packet: Buffer): Buffer {
    packet.copy(this.#authenticated, 0, 0, HEADER_BYTES)
    return this.#authenticated
  }
}
