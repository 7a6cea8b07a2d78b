/**
 * Which addresses this node claims for the names that it has backends for. It claims what the plan
 * gives, with the time of the earliest claim known, so that the name keeps its rank when whoever
 * claimed first goes; and it follows when the plan moves the name. After the last backend a claim
 * stays for a cool-down.
 */
import type { Ip } from '../../model/ip.ts'
import type { NodeId } from '../../model/node-id.ts'
import {
  type OwnRecord,
  type OwnRecordId,
  ownRecordIdOf,
  RECORD_KINDS,
} from '../../model/record.ts'
import type { AddressBook } from './address-book.ts'
import {
  type AddressClaim,
  type ClaimSubject,
  claimKeyOf,
  encodeAddressClaim,
  parseClaimKey,
} from './address-claim.ts'

/** A name's address became another one. */
export interface AddressMove {
  readonly name: string
  readonly from: Ip
  readonly to: Ip
}

/** What {@link OwnClaims} works with. */
export interface OwnClaimsParts {
  readonly self: NodeId
  readonly addresses: AddressBook
  readonly coolDownMs: number
  /** A name of this node moved. */
  readonly onMoved: (move: AddressMove) => void
}

/** When claims are looked at. */
export interface ClaimMoment {
  /** Milliseconds since 1970. */
  readonly wallMs: number
  /** Whether this node's backends are all known: only then a name without one is released. */
  readonly isOwnComplete: boolean
}

type ClaimKey = string

/** Claims by their key, e.g. `4/web.marathon`. */
export type KeptClaims = ReadonlyMap<ClaimKey, AddressClaim>

/** The claims of this node. */
export class OwnClaims {
  readonly #parts: OwnClaimsParts
  readonly #claims = new Map<ClaimKey, AddressClaim>()
  readonly #useCounts = new Map<ClaimKey, number>()
  /** What to look at next time. */
  readonly #touched = new Set<ClaimKey>()
  /** Claims that cool down, in the order of their release. */
  readonly #idle = new Set<ClaimKey>()

  constructor(parts: OwnClaimsParts) {
    this.#parts = parts
  }

  /** The claims as they are. */
  get claims(): KeptClaims {
    return this.#claims
  }

  /** How many claims are cooling down. */
  get idleCount(): number {
    return this.#idle.size
  }

  /** Takes over claims of an earlier life; they count here at once. */
  restore(kept: KeptClaims): void {
    const releasedAtMs = ([, claim]: [ClaimKey, AddressClaim]) => claim.releasedAtMs ?? 0
    const claims = [...kept].sort((left, right) => releasedAtMs(left) - releasedAtMs(right))
    for (const [key, claim] of claims) this.#set(key, claim)
    this.#claim(claims)
  }

  /** The name has one backend more, or less, in this family. */
  count({ family, name }: ClaimSubject, change: 1 | -1): void {
    const key = claimKeyOf({ family, name })
    const count = (this.#useCounts.get(key) ?? 0) + change
    if (count > 0) this.#useCounts.set(key, count)
    else this.#useCounts.delete(key)
    if (count === 0 || count === change) this.#touch(key)
  }

  /** The addresses of these names changed. */
  noteMoved(names: Iterable<string>): void {
    for (const name of names) {
      this.#touch(claimKeyOf({ family: 4, name }))
      this.#touch(claimKeyOf({ family: 6, name }))
    }
  }

  /**
   * Gives way to the cluster, once its claims are known: claims of an earlier life shall not move
   * names that lived on without this node.
   */
  yield(): void {
    const { addresses, self } = this.#parts
    const changes: [ClaimKey, AddressClaim | undefined][] = []
    for (const key of this.#claims.keys()) {
      const subject = parseClaimKey(key)
      this.#touch(key)
      if (subject === undefined) continue
      const theirs = addresses.claimOf(subject, self)
      if (theirs !== undefined) changes.push([key, theirs])
      else if (addresses.isContested(subject)) changes.push([key, undefined])
    }
    for (const [key, claim] of changes) this.#set(key, claim)
    this.#claim(changes)
  }

  /** Brings claims up to date. @returns the records that changed */
  flush(moment: ClaimMoment): readonly (readonly [OwnRecordId, OwnRecord | undefined])[] {
    const changes: [ClaimKey, AddressClaim | undefined][] = []
    this.#touchDue(moment)
    for (const key of this.#touched) {
      const subject = parseClaimKey(key)
      const before = this.#claims.get(key)
      const after = subject && this.#desired(subject, before, moment)
      if (before === after) continue
      this.#set(key, after)
      changes.push([key, after])
    }
    this.#touched.clear()
    this.#claim(changes)
    return changes.map(([key, claim]) => recordOf(key, claim))
  }

  /** All claims as records. */
  records(): readonly (readonly [OwnRecordId, OwnRecord | undefined])[] {
    return [...this.#claims].map(([key, claim]) => recordOf(key, claim))
  }

  #desired(
    subject: ClaimSubject,
    before: AddressClaim | undefined,
    moment: ClaimMoment,
  ): AddressClaim | undefined {
    const planned = this.#parts.addresses.addressOf(subject.name, subject.family)
    if (this.#useCounts.has(claimKeyOf(subject))) {
      return planned === undefined ? before : this.#wanted(subject, before, { planned, moment })
    }
    if (before === undefined || !moment.isOwnComplete) return before
    if (planned !== before.address) return undefined // lost, and of no use any more
    const { releasedAtMs } = before
    if (releasedAtMs === undefined || releasedAtMs > moment.wallMs) {
      return { ...before, releasedAtMs: moment.wallMs }
    }
    return moment.wallMs - releasedAtMs >= this.#parts.coolDownMs ? undefined : before
  }

  #wanted(
    subject: ClaimSubject,
    before: AddressClaim | undefined,
    { planned, moment }: { readonly planned: Ip; readonly moment: ClaimMoment },
  ): AddressClaim {
    const first = this.#parts.addresses.claimOf(subject)?.claimedAtMs ?? moment.wallMs
    const claimedAtMs = Math.min(first, before?.claimedAtMs ?? first)
    if (before !== undefined && before.address !== planned) {
      this.#parts.onMoved({ name: subject.name, from: before.address, to: planned })
    }
    const isSame = before?.address === planned && before.claimedAtMs === claimedAtMs
    return isSame && before.releasedAtMs === undefined ? before : { address: planned, claimedAtMs }
  }

  /** Stops at the first that is not due: later ones were released later. */
  #touchDue({ wallMs }: ClaimMoment): void {
    for (const key of this.#idle) {
      const ageMs = wallMs - (this.#claims.get(key)?.releasedAtMs ?? 0)
      if (ageMs >= 0 && ageMs < this.#parts.coolDownMs) break
      this.#touched.add(key)
    }
  }

  #touch(key: ClaimKey): void {
    if (this.#useCounts.has(key) || this.#claims.has(key)) this.#touched.add(key)
  }

  #set(key: ClaimKey, claim: AddressClaim | undefined): void {
    if (claim === undefined) this.#claims.delete(key)
    else this.#claims.set(key, claim)
    this.#idle.delete(key)
    if (claim?.releasedAtMs !== undefined) this.#idle.add(key)
  }

  #claim(changes: readonly (readonly [ClaimKey, AddressClaim | undefined])[]): void {
    const node = this.#parts.self
    this.#parts.addresses.claim(
      changes.flatMap(([key, claim]) => {
        const subject = parseClaimKey(key)
        return subject === undefined ? [] : [{ ...subject, node, claim }]
      }),
    )
  }
}

function recordOf(
  key: ClaimKey,
  claim: AddressClaim | undefined,
): readonly [OwnRecordId, OwnRecord | undefined] {
  const id = ownRecordIdOf({ kind: RECORD_KINDS.addressClaim, key })
  return [id, claim && encodeAddressClaim(key, claim)]
}
