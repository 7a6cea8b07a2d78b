/**
 * Signatures without cryptography: a hash over the signer's key and the fields. Whoever changes a
 * field without signing anew is found out, and ten thousand nodes can be simulated.
 */
import { createHash } from 'node:crypto'
import type { Head, Notary, Statement, Unsigned } from '../../src/gossip/engine/statements.ts'
import type { NodeId } from '../../src/model/node-id.ts'

const NO_CERTIFICATE = new Uint8Array(0)

/** Statements that were signed here: as long as messages pass by reference, no need to hash. */
const genuine = new WeakMap<object, Uint8Array>()

/** The notary of an identity, e.g. `7/n12/1`. */
export function openFakeNotary(identity: string): Notary {
  const publicKey = new Uint8Array(createHash('sha256').update(`sim ${identity}`).digest())
  const node = idOf(publicKey)
  return {
    node,
    publicKey,
    certificate: NO_CERTIFICATE,
    sign: <S extends Statement>(unsigned: Unsigned<S>): S => {
      const signature = signatureOf(unsigned, publicKey)
      const statement = { ...unsigned, signature } as S
      genuine.set(statement, publicKey)
      return statement
    },
    isValid: (statement, key) => {
      if (genuine.get(statement) === key) return true
      return isSignedBy(statement, key)
    },
  }
}

function isSignedBy(statement: Statement, key: Uint8Array): boolean {
  if (statement.kind === 'announcement') {
    if (idOf(statement.publicKey) !== statement.node || !areEqual(statement.publicKey, key)) {
      return false
    }
  }
  return areEqual(statement.signature, signatureOf(statement, key))
}

function idOf(publicKey: Uint8Array): NodeId {
  return createHash('sha256').update(publicKey).digest('hex').slice(0, 32) as NodeId
}

function signatureOf(statement: Unsigned<Statement>, key: Uint8Array): Uint8Array {
  const signature = new Uint8Array(64)
  const hash = createHash('sha512')
    .update(key)
    .update(textOf(statement as Statement))
  if (statement.kind === 'head') hash.update((statement as unknown as Head).digest)
  signature.set(hash.digest())
  return signature
}

function textOf(statement: Statement): string {
  switch (statement.kind) {
    case 'announcement': {
      const { address, port } = statement.endpoint
      const fields = [statement.node, address, port, statement.incarnation, statement.isLeaving]
      return `announcement ${fields.join(' ')} ${hexOf(statement.certificate)}`
    }
    case 'accusation':
      return `accusation ${statement.subject} ${statement.incarnation} ${statement.accuser}`
    case 'eviction':
      return `eviction ${statement.subject} ${statement.incarnation} ${statement.issuer}`
    case 'head':
      return `head ${statement.node} ${statement.version} ${statement.floor} ${statement.bucketBits}`
  }
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function areEqual(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0
}
