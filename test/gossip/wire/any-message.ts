/** Arbitrary messages, for property tests and as the corpus of the fuzzer. */
import fc from 'fast-check'
import type { Message, MessageKind } from '../../../src/gossip/engine/messages.ts'
import type { VersionedRecord } from '../../../src/gossip/engine/statements.ts'
import type { NodeId } from '../../../src/model/node-id.ts'
import { anyIp } from '../../model/addresses.ts'

/** Arbitraries of each kind of message. */
type AnyOfKinds = { readonly [K in MessageKind]: fc.Arbitrary<Extract<Message, { kind: K }>> }

const flag = fc.boolean()
const u16 = fc.integer({ min: 0, max: 0xffff })
const u32 = fc.integer({ min: 0, max: 0xffff_ffff })
const u53 = fc.oneof(
  fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1),
  fc.maxSafeNat(),
)

/** Exactly so many bytes. */
function bytesOf(count: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: count, maxLength: count })
}

/** Any node id. */
export const anyNode: fc.Arbitrary<NodeId> = bytesOf(16).map(
  (bytes) => Buffer.from(bytes).toString('hex') as NodeId,
)

const digest = fc.record({ high: u32, low: u32 })
const digests = fc.array(digest, { minLength: 16, maxLength: 16 })
const announcement = fc.record({
  kind: fc.constant('announcement' as const),
  node: anyNode,
  publicKey: bytesOf(32),
  endpoint: fc.record({ address: anyIp, port: u16 }),
  incarnation: u53,
  isLeaving: flag,
  certificate: fc.oneof(bytesOf(0), bytesOf(64), fc.uint8Array({ maxLength: 9 })),
  signature: bytesOf(64),
})
const head = fc.record({
  kind: fc.constant('head' as const),
  node: anyNode,
  version: u53,
  floor: u53,
  bucketBits: fc.integer({ min: 0, max: 16 }),
  digest: bytesOf(32),
  signature: bytesOf(64),
})

/** Any record; a deleted one has no value. */
export const anyRecord: fc.Arbitrary<VersionedRecord> = fc
  .record({
    kind: u16,
    schema: u16,
    key: fc.string({ unit: 'binary', maxLength: 40 }),
    version: u53,
    isDeleted: flag,
    value: fc.uint8Array({ maxLength: 60 }),
  })
  .map((record) => (record.isDeleted ? { ...record, value: new Uint8Array(0) } : record))

/** Any message of each kind. */
export const ANY_OF_KINDS: AnyOfKinds = {
  ping: fc.record({ kind: fc.constant('ping' as const), sequence: u32, digest }),
  ack: fc.record({ kind: fc.constant('ack' as const), sequence: u32, digest }),
  'ping-request': fc.record({
    kind: fc.constant('ping-request' as const),
    sequence: u32,
    subject: anyNode,
  }),
  'ping-report': fc.record({
    kind: fc.constant('ping-report' as const),
    sequence: u32,
    isAnswered: flag,
  }),
  announcement,
  accusation: fc.record({
    kind: fc.constant('accusation' as const),
    subject: anyNode,
    incarnation: u53,
    accuser: anyNode,
    signature: bytesOf(64),
  }),
  delta: fc.record({
    kind: fc.constant('delta' as const),
    head,
    from: u53,
    through: u53,
    ageMs: u32,
    records: fc.array(anyRecord, { maxLength: 5 }),
  }),
  have: fc.record({
    kind: fc.constant('have' as const),
    entries: fc.array(fc.record({ node: anyNode, version: u53 }), { maxLength: 6 }),
  }),
  want: fc.record({
    kind: fc.constant('want' as const),
    isGraft: flag,
    entries: fc.array(fc.record({ node: anyNode, held: u53, isStaged: flag }), { maxLength: 6 }),
  }),
  'want-members': fc.record({
    kind: fc.constant('want-members' as const),
    nodes: fc.array(anyNode, { maxLength: 8 }),
  }),
  prune: fc.record({ kind: fc.constant('prune' as const) }),
  'sync-open': fc.record({ kind: fc.constant('sync-open' as const), digests }),
  'sync-ranges': fc.record({
    kind: fc.constant('sync-ranges' as const),
    ranges: fc.array(fc.record({ digit: fc.integer({ min: 0, max: 15 }), digests }), {
      maxLength: 3,
    }),
  }),
  'sync-rows': fc.record({
    kind: fc.constant('sync-rows' as const),
    ranges: fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 20 }),
    rows: fc.array(fc.record({ node: anyNode, incarnation: u53, isAccused: flag, held: u53 }), {
      maxLength: 5,
    }),
  }),
  join: fc.record({ kind: fc.constant('join' as const), announcement }),
  welcome: fc.record({
    kind: fc.constant('welcome' as const),
    announcements: fc.array(announcement, { maxLength: 4 }),
  }),
  'sync-end': fc.record({ kind: fc.constant('sync-end' as const) }),
  hint: fc.record({ kind: fc.constant('hint' as const) }),
  eviction: fc.record({
    kind: fc.constant('eviction' as const),
    subject: anyNode,
    incarnation: u53,
    issuer: anyNode,
    signature: bytesOf(64),
  }),
  'agent-gone': fc.record({
    kind: fc.constant('agent-gone' as const),
    agent: fc.stringMatching(/^[!-~]{1,60}$/),
  }),
}

/** Any message of any kind. */
export const anyMessage: fc.Arbitrary<Message> = fc.oneof(
  ...(Object.values(ANY_OF_KINDS) as fc.Arbitrary<Message>[]),
)
