import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type {
  Accusation,
  Announcement,
  Eviction,
  Head,
  Notary,
  Statement,
  Unsigned,
} from '../../../src/gossip/engine/statements.ts'
import { generateIdentity, openNotary, signCertificate } from '../../../src/gossip/wire/notary.ts'
import { nodeIdOf, PublicKeys } from '../../../src/gossip/wire/public-keys.ts'
import { parseNodeId } from '../../../src/model/node-id.ts'
import { ANY_OF_KINDS } from './any-message.ts'

const clusterId = 'test'
const one = generateIdentity()
const other = generateIdentity()
const ca = generateIdentity()
const notary = openNotary({ privateKey: one.privateKeyPem, clusterId })
const reader = openNotary({ privateKey: other.privateKeyPem, clusterId })

function announcementOf({ node, publicKey, certificate }: Notary): Unsigned<Announcement> {
  const endpoint = { address: '10.0.0.1' as never, port: 62501 }
  const incarnation = 5
  return {
    kind: 'announcement',
    node,
    publicKey,
    endpoint,
    incarnation,
    isLeaving: false,
    certificate,
  }
}

const announcement: Announcement = notary.sign(announcementOf(notary))
const accusation: Accusation = notary.sign({
  kind: 'accusation',
  subject: other.node,
  incarnation: 3,
  accuser: one.node,
})
const head: Head = notary.sign({
  kind: 'head',
  node: one.node,
  version: 9,
  floor: 2,
  bucketBits: 1,
  digest: new Uint8Array(32).fill(7),
})
const eviction: Eviction = notary.sign({
  kind: 'eviction',
  subject: other.node,
  incarnation: 3,
  issuer: one.node,
})
const statements: readonly Statement[] = [announcement, accusation, eviction, head]

test('an identity is named by its key and never comes twice', () => {
  expect(parseNodeId(one.node)).toBe(one.node)
  expect(one.node).toBe(nodeIdOf(one.publicKey))
  expect(notary.node).toBe(one.node)
  expect(notary.publicKey).toEqual(one.publicKey)
  expect(other.node).not.toBe(one.node)
})

test.for(statements)('another node believes the $kind of a node', (statement) => {
  expect(reader.isValid(statement, one.publicKey)).toBe(true)
})

test.for(statements)('a $kind is not believed with the key of another', (statement) => {
  expect(reader.isValid(statement, other.publicKey)).toBe(false)
})

test.for(statements)('a $kind is not believed in another cluster', (statement) => {
  const foreign = openNotary({ privateKey: other.privateKeyPem, clusterId: 'test2' })
  expect(foreign.isValid(statement, one.publicKey)).toBe(false)
})

const CHANGED: readonly (readonly [string, Statement])[] = [
  ['node', { ...announcement, node: other.node }],
  ['public key', { ...announcement, publicKey: other.publicKey }],
  [
    'address',
    { ...announcement, endpoint: { ...announcement.endpoint, address: '10.0.0.2' as never } },
  ],
  ['port', { ...announcement, endpoint: { ...announcement.endpoint, port: 1 } }],
  ['incarnation', { ...announcement, incarnation: 6 }],
  ['leaving', { ...announcement, isLeaving: true }],
  ['certificate', { ...announcement, certificate: new Uint8Array(64) }],
  ['subject', { ...accusation, subject: one.node }],
  ['accused incarnation', { ...accusation, incarnation: 4 }],
  ['accuser', { ...accusation, accuser: other.node }],
  ['evicted subject', { ...eviction, subject: one.node }],
  ['evicted incarnation', { ...eviction, incarnation: 4 }],
  ['issuer', { ...eviction, issuer: other.node }],
  ['kind', { ...accusation, kind: 'eviction', issuer: one.node }],
  ['version', { ...head, version: 10 }],
  ['floor', { ...head, floor: 3 }],
  ['bucket bits', { ...head, bucketBits: 2 }],
  ['digest', { ...head, digest: new Uint8Array(32) }],
  ['signature', { ...head, signature: new Uint8Array(64) }],
]

test.for(CHANGED)('a statement whose %s was changed is not believed', ([, statement]) => {
  expect(reader.isValid(statement, one.publicKey)).toBe(false)
})

test('a key that is not that of the id is not believed, though it signed', () => {
  const claimed = notary.sign<Announcement>({ ...announcementOf(notary), node: other.node })
  expect(reader.isValid(claimed, one.publicKey)).toBe(false)
})

test('with a CA only certified nodes are believed', () => {
  const certificate = signCertificate({
    caPrivateKey: ca.privateKeyPem,
    clusterId,
    node: one.node,
  })
  const caKey = ca.publicKey
  const strict = openNotary({ privateKey: other.privateKeyPem, clusterId, caKey })
  const certified = openNotary({ privateKey: one.privateKeyPem, clusterId, caKey, certificate })
  const valid: Announcement = certified.sign(announcementOf(certified))
  expect(strict.isValid(valid, one.publicKey)).toBe(true)
  expect(strict.isValid(announcement, one.publicKey)).toBe(false)
  expect(strict.isValid(valid, one.publicKey)).toBe(true)
  expect(strict.isValid(head, one.publicKey)).toBe(true)
})

test.for([
  ['of another node', ca, clusterId, other.node],
  ['of another cluster', ca, 'test2', one.node],
  ['of another CA', other, clusterId, one.node],
] as const)('a certificate %s does not count', ([, signer, cluster, node]) => {
  const certificate = signCertificate({
    caPrivateKey: signer.privateKeyPem,
    clusterId: cluster,
    node,
  })
  const caKey = ca.publicKey
  const strict = openNotary({ privateKey: other.privateKeyPem, clusterId, caKey })
  const claimant = openNotary({ privateKey: one.privateKeyPem, clusterId, certificate })
  const claim: Announcement = claimant.sign(announcementOf(claimant))
  expect(strict.isValid(claim, one.publicKey)).toBe(false)
})

test('junk is not believed and raises nothing', () => {
  const { announcement: anyAnnouncement, accusation: anyAccusation } = ANY_OF_KINDS
  const anyStatement = fc.oneof(
    anyAnnouncement,
    anyAccusation,
    ANY_OF_KINDS.delta.map((delta) => delta.head),
  )
  const anyKey = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.uint8Array({ minLength: 32, maxLength: 32 }),
  )
  fc.assert(
    fc.property(anyStatement, anyKey, (statement, key) => {
      const named =
        statement.kind === 'accusation'
          ? { ...statement, accuser: nodeIdOf(key) }
          : { ...statement, node: nodeIdOf(key) }
      expect(reader.isValid(named, key)).toBe(false)
      expect(reader.isValid({ ...named, signature: new Uint8Array(3) }, key)).toBe(false)
    }),
  )
  expect(reader.isValid({ ...head, version: Number.NaN }, one.publicKey)).toBe(false)
})

test.for([
  ['no PEM', { privateKey: 'x', clusterId }],
  ['a key of another kind', { privateKey: generateKeyPairSync('x25519').privateKey, clusterId }],
  ['a public key', { privateKey: generateKeyPairSync('ed25519').publicKey, clusterId }],
  ['a short CA key', { privateKey: one.privateKeyPem, clusterId, caKey: new Uint8Array(31) }],
] as const)('%s is refused', ([, options]) => {
  expect(() => openNotary(options)).toThrow(expect.objectContaining({ code: 'GOSSIP_KEY_INVALID' }))
})

test('the keys used last are kept, no more than allowed', () => {
  const keys = new PublicKeys(2)
  const [first, second, third] = [1, 2, 3].map(() => generateIdentity().publicKey)
  const held = keys.get(first as Uint8Array)
  keys.get(second as Uint8Array)
  expect(keys.get(first as Uint8Array)).toBe(held)
  keys.get(third as Uint8Array)
  expect(keys.size).toBe(2)
  expect(keys.get(first as Uint8Array)).toBe(held)
})
