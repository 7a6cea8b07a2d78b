/** This node's backends as records for others: one per VIP. */
import type { NavstarError } from '../../base/error.ts'
import {
  type BackendRecord,
  type BackendRecordKey,
  type VipKey,
  vipKeyOf,
} from '../../model/backend-record.ts'
import {
  type OwnRecord,
  type OwnRecordId,
  ownRecordIdOf,
  RECORD_KINDS,
} from '../../model/record.ts'
import { encodeBackendSet } from './backend-set.ts'

/** Gathers changes, and writes each VIP that changed once. */
export class OwnBackendSets {
  readonly #sets = new Map<VipKey, Map<BackendRecordKey, BackendRecord>>()
  readonly #vipOf = new Map<BackendRecordKey, VipKey>()
  readonly #changed = new Set<VipKey>()
  readonly #written = new Map<VipKey, OwnRecord>()
  readonly #problems = new Map<VipKey, NavstarError>()

  /** What is too large to be told. */
  get problems(): Iterable<NavstarError> {
    return this.#problems.values()
  }

  /** A backend is so from now on; undefined: it is gone. @returns the one that it replaces */
  set(key: BackendRecordKey, backend: BackendRecord | undefined): BackendRecord | undefined {
    const before = this.#remove(key)
    if (backend === undefined) return before
    const vip = vipKeyOf(backend)
    const set = this.#sets.get(vip) ?? new Map()
    this.#sets.set(vip, set.set(key, backend))
    this.#vipOf.set(key, vip)
    this.#changed.add(vip)
    return before
  }

  /** The records that changed since the last call. */
  flush(): readonly (readonly [OwnRecordId, OwnRecord | undefined])[] {
    const vips = [...this.#changed]
    this.#changed.clear()
    return vips.map((vip) => {
      const id = ownRecordIdOf({ kind: RECORD_KINDS.backends, key: vip })
      return [id, this.#write(vip)] as const
    })
  }

  /** Equal bytes stay the same object: that is no change. */
  #write(vip: VipKey): OwnRecord | undefined {
    const backends = this.#sets.get(vip)
    const { record, problem } = encodeBackendSet([...(backends?.values() ?? [])])
    if (problem === undefined) this.#problems.delete(vip)
    else this.#problems.set(vip, problem)
    const before = this.#written.get(vip)
    if (record === undefined) this.#written.delete(vip)
    else if (before !== undefined && isEqual(before.value, record.value)) return before
    else this.#written.set(vip, record)
    return record
  }

  #remove(key: BackendRecordKey): BackendRecord | undefined {
    const vip = this.#vipOf.get(key)
    if (vip === undefined) return undefined
    const set = this.#sets.get(vip)
    const before = set?.get(key)
    set?.delete(key)
    if (set?.size === 0) this.#sets.delete(vip)
    this.#vipOf.delete(key)
    this.#changed.add(vip)
    return before
  }
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0
}
