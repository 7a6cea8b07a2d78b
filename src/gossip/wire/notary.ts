/**
 * Signs as this node and checks what others signed, with Ed25519 of `node:crypto`. A node id is a
 * hash of the public key, so that a signature of the right key is a signature of the right node.
 *
 * **Source:** RFC 8032; `docs/gossip.md`, Identity
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { NavstarError } from '../../base/error.ts'
import type { NodeId } from '../../model/node-id.ts'
import type { Announcement, Notary, Statement, Unsigned } from '../engine/statements.ts'
import {
  bytesOfPublicKey,
  nodeIdOf,
  type PublicKey,
  PublicKeys,
  publicKeyOf,
} from './public-keys.ts'
import { certifiedBytes, PUBLIC_KEY_BYTES, SIGNATURE_BYTES, signedBytes } from './statements.ts'

/** Who a node is. */
export interface Identity {
  readonly node: NodeId
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** PKCS #8; secret. */
  readonly privateKeyPem: string
}

/** What a notary needs. */
export interface NotaryOptions {
  /** Ed25519: PEM (PKCS #8), or a key object. */
  readonly privateKey: string | KeyObject
  readonly clusterId: string
  /** What {@link signCertificate} made for this node. */
  readonly certificate?: Uint8Array
  /** The CA's public key, 32 bytes: only nodes that it certified are believed. */
  readonly caKey?: Uint8Array
}

/** What a CA signs. */
export interface CertificateRequest {
  /** Ed25519: PEM (PKCS #8), or a key object. */
  readonly caPrivateKey: string | KeyObject
  readonly clusterId: string
  readonly node: NodeId
}

/** More members than that make checks slower, not wrong. */
const MOST_KEYS = 8192

const NO_CERTIFICATE = new Uint8Array(0)

/** A new identity, from the machine's randomness. */
export function generateIdentity(): Identity {
  const pair = generateKeyPairSync('ed25519')
  const publicKey = bytesOfPublicKey(pair.publicKey)
  const privateKeyPem = pair.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
  return { node: nodeIdOf(publicKey), publicKey, privateKeyPem }
}

/**
 * Says for a CA that a node may take part in a cluster.
 *
 * @returns the certificate, 64 bytes
 * @throws NavstarError `GOSSIP_KEY_INVALID`
 */
export function signCertificate(request: CertificateRequest): Uint8Array {
  const key = privateKeyOf(request.caPrivateKey, 'read the private key of the cluster CA')
  return signatureOf(certifiedBytes(request.node, request.clusterId), key)
}

/**
 * The notary of a node.
 *
 * @throws NavstarError `GOSSIP_KEY_INVALID`
 */
export function openNotary(options: NotaryOptions): Notary {
  const { clusterId, certificate = NO_CERTIFICATE, caKey } = options
  const privateKey = privateKeyOf(options.privateKey, 'read the private key of this node')
  const publicKey = bytesOfPublicKey(createPublicKey(privateKey))
  const keys = new PublicKeys(MOST_KEYS)
  const ca = caKey === undefined ? undefined : caKeyOf(caKey)

  function isCertified(announcement: Announcement, signer: PublicKey): boolean {
    if (ca === undefined) return true
    const { node, certificate: shown } = announcement
    if (signer.certificate !== undefined && isEqual(signer.certificate, shown)) return true
    if (!isSigned(certifiedBytes(node, clusterId), shown, ca)) return false
    signer.certificate = shown
    return true
  }

  function isBelieved(statement: Statement, signer: PublicKey, signerKey: Uint8Array): boolean {
    if (signer.node !== signerOf(statement)) return false
    const content = signedBytes(statement, clusterId)
    if (!isSigned(content, statement.signature, signer.object)) return false
    if (statement.kind !== 'announcement') return true
    return isEqual(statement.publicKey, signerKey) && isCertified(statement, signer)
  }

  return {
    node: nodeIdOf(publicKey),
    publicKey,
    certificate,
    sign: <S extends Statement>(statement: Unsigned<S>): S => {
      const signature = signatureOf(
        signedBytes(statement as Unsigned<Statement>, clusterId),
        privateKey,
      )
      return { ...statement, signature } as unknown as S
    },
    isValid: (statement, signerKey) => {
      try {
        const signer = keys.get(signerKey)
        return signer !== undefined && isBelieved(statement, signer, signerKey)
      } catch {
        // What cannot be written or read as a key cannot have been signed either.
        return false
      }
    },
  }
}

/** The node whose signature a statement needs. */
function signerOf(statement: Statement): NodeId {
  if (statement.kind === 'accusation') return statement.accuser
  return statement.kind === 'eviction' ? statement.issuer : statement.node
}

function signatureOf(content: Uint8Array, key: KeyObject): Uint8Array {
  return new Uint8Array(sign(undefined, content, key))
}

function isSigned(content: Uint8Array, signature: Uint8Array, key: KeyObject): boolean {
  return signature.length === SIGNATURE_BYTES && verify(undefined, content, key, signature)
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index])
}

function privateKeyOf(key: string | KeyObject, attempt: string): KeyObject {
  try {
    const object = key instanceof KeyObject ? key : createPrivateKey(key)
    if (object.type === 'private' && object.asymmetricKeyType === 'ed25519') return object
  } catch (cause) {
    throw new NavstarError('GOSSIP_KEY_INVALID', { attempt, cause })
  }
  throw new NavstarError('GOSSIP_KEY_INVALID', { attempt })
}

function caKeyOf(bytes: Uint8Array): KeyObject {
  if (bytes.length === PUBLIC_KEY_BYTES) return publicKeyOf(bytes)
  throw new NavstarError('GOSSIP_KEY_INVALID', {
    attempt: `read the public key of the cluster CA, ${bytes.length} bytes`,
  })
}
