import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bucketBitsFor, RecordSet } from '../../../../src/gossip/engine/records/record-set.ts'
import type { VersionedRecord } from '../../../../src/gossip/engine/statements.ts'
import { recordBytes } from '../../../../src/gossip/wire/record.ts'
import { contentsOf, hashed, hexOf, recordOf, setOf } from './record-sets.ts'

/** A step of an owner: some keys put or deleted, a floor, another number of buckets. */
interface Step {
  readonly changes: readonly { readonly key: string; readonly value: string | undefined }[]
  readonly floorBack: number
  readonly bucketBits: number
  readonly isUndone: boolean
}

const anyStep: fc.Arbitrary<Step> = fc.record({
  changes: fc.array(
    fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'ü', 'g/h'),
      value: fc.option(fc.string({ maxLength: 4 }), { nil: undefined }),
    }),
    { maxLength: 4 },
  ),
  floorBack: fc.nat(8),
  bucketBits: fc.constantFrom(0, 0, 1, 3),
  isUndone: fc.boolean(),
})
const anySteps = fc.array(anyStep, { maxLength: 15 })

/** A set, and a model of it: the latest record of each key. */
class SetAndModel {
  readonly set: RecordSet = new RecordSet()
  model = new Map<string, VersionedRecord>()
  version = 0
  floor = 0
  bucketBits = 0

  take({ changes, floorBack, bucketBits, isUndone }: Step): void {
    let { version } = this
    const records = changes.map(({ key, value }) => recordOf(key, ++version, value))
    const floor = Math.max(this.floor, version - floorBack)
    const undo = this.set.apply(hashed(...records), { floor, bucketBits })
    if (isUndone) {
      undo()
      return
    }
    Object.assign(this, { version, floor, bucketBits })
    for (const record of records) this.model.set(record.key, record)
    for (const [key, { isDeleted, version: at }] of this.model) {
      if (isDeleted && at <= floor) this.model.delete(key)
    }
  }

  /** The records by version. */
  get records(): VersionedRecord[] {
    return [...this.model.values()].sort((left, right) => left.version - right.version)
  }
}

/** The digest as `docs/gossip.md` tells it, from scratch. */
function digestOf(records: readonly VersionedRecord[], bucketBits: number): string {
  const buckets = Array.from({ length: 2 ** bucketBits }, (): string[] => [])
  for (const record of records) {
    const text = Buffer.from(`${record.kind}/${record.key}`)
    const fnv = text.reduce(
      (sum, byte) => ((sum ^ BigInt(byte)) * 16777619n) & 0xffffffffn,
      2166136261n,
    )
    const bucket = Number(fnv >> BigInt(32 - bucketBits))
    const hash = createHash('sha256').update(recordBytes(record)).digest('hex').slice(0, 32)
    buckets[bucket]?.push(hash)
  }
  const whole = createHash('sha256')
  for (const hashes of buckets) {
    whole.update(
      createHash('sha256')
        .update(Buffer.from(hashes.sort().join(''), 'hex'))
        .digest(),
    )
  }
  return whole.digest('hex')
}

describe('a record set', () => {
  test('is at each step what a map of the latest records is, undone steps left out', () => {
    fc.assert(
      fc.property(anySteps, (steps) => {
        const pair = new SetAndModel()
        for (const step of steps) {
          pair.take(step)
          const { records } = pair
          expect(contentsOf(pair.set)).toEqual(contentsOf(setOf(records)))
          expect(pair.set.size).toBe(records.length)
          expect(pair.set.liveCount).toBe(records.filter(({ isDeleted }) => !isDeleted).length)
          expect(hexOf(pair.set.digest())).toBe(digestOf(records, pair.bucketBits))
        }
      }),
    )
  })

  test('gives the records above any version in the order of versions', () => {
    fc.assert(
      fc.property(anySteps, fc.nat(40), (steps, version) => {
        const pair = new SetAndModel()
        for (const step of steps) pair.take(step)
        const { records, isAll } = pair.set.since(version, Number.POSITIVE_INFINITY)
        expect(isAll).toBe(true)
        expect(records).toEqual(pair.records.filter((record) => record.version > version))
      }),
    )
  })

  test('gives parts that together are everything, none beyond its bytes but by a single record', () => {
    fc.assert(
      fc.property(anySteps, fc.integer({ min: 1, max: 100 }), (steps, maxBytes) => {
        const pair = new SetAndModel()
        for (const step of steps) pair.take(step)
        const given: VersionedRecord[] = []
        for (let isAll = false; !isAll; ) {
          const part = pair.set.since(given.at(-1)?.version ?? 0, maxBytes)
          const bytes = part.records.map((record) => recordBytes(record).length)
          const sum = bytes.reduce((total, size) => total + size, 0)
          expect(sum <= maxBytes || part.records.length === 1).toBe(true)
          expect(part.isAll || part.records.length > 0).toBe(true)
          given.push(...part.records)
          isAll = part.isAll
        }
        expect(given).toEqual(pair.records)
      }),
    )
  })

  test('gives exactly what its bytes allow', () => {
    const size = recordBytes(recordOf('a', 1, 'x')).length
    const set = setOf([recordOf('a', 1, 'x'), recordOf('b', 2, 'x'), recordOf('c', 3, 'x')])
    expect(set.since(0, 2 * size).records.map(({ key }) => key)).toEqual(['a', 'b'])
    expect(set.since(0, 2 * size - 1).records.map(({ key }) => key)).toEqual(['a'])
    expect(set.since(0, 3 * size)).toMatchObject({ isAll: true })
    expect(set.since(2, 1)).toMatchObject({ records: [{ key: 'c' }], isAll: true })
  })

  test('has a digest that does not depend on the way to it', () => {
    const direct = setOf([recordOf('b', 3, 'x'), recordOf('c', 4, 'y')], 2, 3)
    const winding = setOf([recordOf('a', 1, 'old'), recordOf('b', 2, 'old'), recordOf('b', 3, 'x')])
    const undo = winding.apply(hashed(recordOf('c', 4)), { floor: 3, bucketBits: 1 })
    undo()
    winding.apply(hashed(recordOf('c', 4, 'y'), recordOf('a', 5)), { floor: 5, bucketBits: 3 })
    expect(hexOf(winding.digest())).toBe(hexOf(direct.digest()))
  })

  test('has another digest with any other field of a record', () => {
    const record = recordOf('a', 1, 'x')
    const others = [
      record,
      { ...record, kind: 2 },
      { ...record, schema: 2 },
      { ...record, key: 'b' },
      { ...record, version: 2 },
      { ...record, value: new Uint8Array([9]) },
      { ...record, isDeleted: true, value: new Uint8Array(0) },
    ]
    const digests = new Set(others.map((other) => hexOf(setOf([other]).digest())))
    expect(digests.size).toBe(others.length)
  })

  test('forgets deletions up to the floor, and no other', () => {
    const set = setOf([recordOf('a', 1), recordOf('b', 2, 'x'), recordOf('c', 3), recordOf('d', 4)])
    set.apply([], { floor: 3, bucketBits: 0 })
    expect(set.since(0, 1000).records.map(({ key }) => key)).toEqual(['b', 'd'])
  })

  test('stays lean: what was overwritten does not pile up', () => {
    const set = new RecordSet()
    for (let version = 1; version <= 10_000; version++) {
      set.apply(hashed(recordOf('a', version, 'x')), { floor: 0, bucketBits: 0 })
      if (version % 100 === 0) expect(set.since(0, 1000).records).toHaveLength(1)
    }
    expect(set.since(0, 1000)).toEqual({ records: [recordOf('a', 10_000, 'x')], isAll: true })
  })
})

describe('the number of buckets', () => {
  test.each([
    { size: 0, before: 0, bits: 0 },
    { size: 128, before: 0, bits: 0 },
    { size: 129, before: 0, bits: 2 },
    { size: 1000, before: 0, bits: 4 },
    { size: 1000, before: 3, bits: 3 },
    { size: 1000, before: 4, bits: 4 },
    { size: 1000, before: 5, bits: 4 },
    { size: 1024, before: 3, bits: 3 },
    { size: 1025, before: 3, bits: 5 },
    { size: 0, before: 5, bits: 0 },
    { size: 64, before: 1, bits: 1 },
    { size: 63, before: 1, bits: 0 },
    { size: 100_000_000, before: 0, bits: 16 },
  ])('for $size records in 2^$before buckets is 2^$bits', ({ size, before, bits }) => {
    expect(bucketBitsFor(size, before)).toBe(bits)
  })

  test('settles: what was just chosen is fine, and stays so for a while', () => {
    fc.assert(
      fc.property(fc.nat(2_000_000), fc.nat(16), (size, before) => {
        const bits = bucketBitsFor(size, before)
        expect(bucketBitsFor(size, bits)).toBe(bits)
        if (size > 128) expect(size / 2 ** bits).toBeLessThanOrEqual(128)
      }),
    )
  })
})
