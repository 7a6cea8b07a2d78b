/** The records of l4lb: backend sets and address claims. */
import fc from 'fast-check'
import {
  type AddressClaim,
  claimKeyOf,
  decodeAddressClaim,
  encodeAddressClaim,
} from '../../src/l4lb/addresses/address-claim.ts'
import { decodeBackendSet, encodeBackendSet } from '../../src/l4lb/cluster/backend-set.ts'
import { type BackendRecord, vipKeyOf } from '../../src/model/backend-record.ts'
import { anySetOf } from '../l4lb/cluster/backend-sets.ts'
import { nodeId, record } from '../l4lb/records.ts'
import { anyIpv4 } from '../model/addresses.ts'
import type { FuzzedDecoder } from './decoder.ts'

const CORPUS_SIZE = 300
const NODE = nodeId(1)
const IDENTITY = record()

/** What can be used of a set, in the order in which sets are written. */
const BACKENDS: FuzzedDecoder<readonly BackendRecord[]> = {
  name: 'l4lb/backends',
  corpus: (seed) =>
    fc
      .sample(anySetOf(IDENTITY), { numRuns: CORPUS_SIZE, seed })
      .map((backends) => encodeBackendSet(backends).record?.value ?? new Uint8Array()),
  decode: (value) => {
    const foreign = { node: NODE, key: vipKeyOf(IDENTITY), schema: 1, value }
    const { backends } = decodeBackendSet(foreign, { isOwn: true })
    return backends.length === 0 ? undefined : backends.toSorted(byKey)
  },
  encode: (backends) => encodeBackendSet(backends).record?.value ?? new Uint8Array(),
}

const CLAIM: FuzzedDecoder<AddressClaim> = {
  name: 'l4lb/address-claim',
  corpus: (seed) =>
    fc
      .sample(fc.record({ address: anyIpv4, claimedAtMs: fc.maxSafeNat() }), {
        numRuns: CORPUS_SIZE,
        seed,
      })
      .map((claim) => CLAIM.encode(claim)),
  decode: (value) => {
    const key = claimKeyOf({ family: 4, name: 'web.marathon' })
    const read = decodeAddressClaim({ node: NODE, key, schema: 1, value })
    return 'claim' in read ? read.claim : undefined
  },
  encode: (claim) => encodeAddressClaim('4/web.marathon', claim).value,
}

/** All decoders of l4lb's records. */
export const L4LB_DECODERS: readonly FuzzedDecoder[] = [BACKENDS, CLAIM]

function byKey(left: BackendRecord, right: BackendRecord): number {
  return left.key < right.key ? -1 : 1
}
