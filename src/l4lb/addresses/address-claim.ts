/**
 * A node's word that a name has an address, as bytes: length of the address (4 or 16), address,
 * time of the claim (8), time of the release (8, 0: in use). Newer nodes may append.
 */
import { NavstarError } from '../../base/error.ts'
import { type Family, familyOf, type Ip, isIpv4 } from '../../model/ip.ts'
import { mangleName } from '../../model/name.ts'
import { type ClusterRecord, type OwnRecord, RECORD_KINDS } from '../../model/record.ts'
import { FieldReader, FieldWriter } from '../cluster/fields.ts'

/** The layout that this node writes, and the only one that it reads. */
export const ADDRESS_CLAIM_SCHEMA = 1

/** What DNS can carry. **Source:** RFC 1035 §2.3.4 */
const NAME_LIMIT = 255

/** Which address a name shall have. */
export interface AddressClaim {
  readonly address: Ip
  /** When a node first claimed an address for the name, milliseconds since 1970. */
  readonly claimedAtMs: number
  /** When the last backend went; undefined while there is one. */
  readonly releasedAtMs?: number
}

/** What a claim is about. */
export interface ClaimSubject {
  readonly family: Family
  /** E.g. `web.marathon`. */
  readonly name: string
}

/** The key of a claim's record, e.g. `4/web.marathon`. */
export function claimKeyOf({ family, name }: ClaimSubject): string {
  return `${family}/${name}`
}

/** Takes a claim's key apart. @returns undefined when the text is none */
export function parseClaimKey(key: string): ClaimSubject | undefined {
  const [, family, name = ''] = /^([46])\/(.+)$/su.exec(key) ?? []
  if (family === undefined || name.length > NAME_LIMIT) return undefined
  if (mangleName(name) !== name) return undefined
  return { family: family === '4' ? 4 : 6, name }
}

/** Writes a claim. @param key as {@link claimKeyOf} makes it */
export function encodeAddressClaim(key: string, claim: AddressClaim): OwnRecord {
  const writer = new FieldWriter()
  writer.u8(isIpv4(claim.address) ? 4 : 16)
  writer.ip(claim.address)
  writer.u53(claim.claimedAtMs)
  writer.u53(claim.releasedAtMs ?? 0)
  const { addressClaim: kind } = RECORD_KINDS
  return { kind, schema: ADDRESS_CLAIM_SCHEMA, key, value: writer.bytes() }
}

/** A claim that was read, or why there is none. */
export type ReadClaim =
  | { readonly subject: ClaimSubject; readonly claim: AddressClaim }
  | { readonly problem: NavstarError }

/** Reads a claim; never throws. */
export function decodeAddressClaim(
  record: Pick<ClusterRecord, 'node' | 'key' | 'schema' | 'value'>,
): ReadClaim {
  const subject = parseClaimKey(record.key)
  const reader = new FieldReader(record.value)
  const address = reader.ip(reader.u8() === 4 ? 4 : 6)
  const claimedAtMs = reader.u53()
  const releasedAtMs = reader.u53()
  const isReadable = record.schema === ADDRESS_CLAIM_SCHEMA && !reader.isBroken
  if (subject === undefined || !isReadable || familyOf(address) !== subject.family) {
    const attempt = `read the address claim ${record.key.slice(0, 120)} of ${record.node}`
    return { problem: new NavstarError('RECORD_INVALID', { attempt }) }
  }
  const claim = { address, claimedAtMs }
  return { subject, claim: releasedAtMs === 0 ? claim : { ...claim, releasedAtMs } }
}
