/** This node's address claims on disk, so that addresses outlive a restart of all nodes. */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { NavstarError } from '../../base/error.ts'
import { replaceFile } from '../../base/replace-file.ts'
import { parseIp } from '../../model/ip.ts'
import { type AddressClaim, claimKeyOf, parseClaimKey } from './address-claim.ts'
import type { KeptClaims } from './own-claims.ts'

/** What a file held, and why that is not all. */
export interface ReadClaims {
  readonly claims: KeptClaims
  readonly problem?: NavstarError
}

/**
 * A file `address-claims.json`:
 * `{"4/web.marathon": {"address": "11.0.0.37", "claimedAtMs": 1700000000000}, …}`
 */
export class ClaimFile {
  readonly #directory: string
  readonly #path: string

  /** @param directory made when the first claims are written */
  constructor(directory: string) {
    this.#directory = directory
    this.#path = join(directory, 'address-claims.json')
  }

  /** Reads the claims; a file that is none of ours is ignored with a problem. */
  async read(): Promise<ReadClaims> {
    try {
      return parseClaims(JSON.parse(await readFile(this.#path, 'utf8')), this.#path)
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') {
        return { claims: new Map() }
      }
      return { claims: new Map(), problem: unreadable(this.#path, cause) }
    }
  }

  /** Replaces the file as a whole. @throws NavstarError `ADDRESS_CLAIMS_NOT_KEPT` */
  async write(claims: KeptClaims): Promise<void> {
    try {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 })
      await replaceFile(this.#path, JSON.stringify(Object.fromEntries(claims)))
    } catch (cause) {
      throw new NavstarError('ADDRESS_CLAIMS_NOT_KEPT', { attempt: `write ${this.#path}`, cause })
    }
  }
}

function unreadable(path: string, cause: unknown): NavstarError {
  return new NavstarError('ADDRESS_CLAIMS_UNREADABLE', { attempt: `read ${path}`, cause })
}

function parseClaims(content: unknown, path: string): ReadClaims {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    return { claims: new Map(), problem: unreadable(path, 'it is no JSON object') }
  }
  const claims = new Map<string, AddressClaim>()
  const skipped: string[] = []
  for (const [key, value] of Object.entries(content)) {
    const claim = parseClaim(key, value)
    if (claim === undefined) skipped.push(key)
    else claims.set(key, claim)
  }
  if (skipped.length === 0) return { claims }
  const cause = `${skipped.length} claims are malformed, first ${skipped[0]?.slice(0, 80)}`
  return { claims, problem: unreadable(path, cause) }
}

function parseClaim(key: string, value: unknown): AddressClaim | undefined {
  const subject = parseClaimKey(key)
  if (subject === undefined || typeof value !== 'object' || value === null) return undefined
  const fields: Readonly<Record<string, unknown>> = { ...value }
  const { address: text, claimedAtMs, releasedAtMs } = fields
  const address = typeof text === 'string' ? parseIp(text) : undefined
  const isFitting = address !== undefined && address.includes(':') === (subject.family === 6)
  if (!isFitting || !isTime(claimedAtMs) || claimKeyOf(subject) !== key) return undefined
  if (releasedAtMs === undefined) return { address, claimedAtMs }
  return isTime(releasedAtMs) ? { address, claimedAtMs, releasedAtMs } : undefined
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}
