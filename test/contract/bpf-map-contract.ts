/** What every implementation of a BPF map does; the kernel's is the measure. */
import { beforeEach, describe, expect, onTestFinished, type TestContext, test } from 'vitest'
import type { BpfMap } from '../../src/kernel/bpf.ts'

/** The shape of the hash map that the suite asks for. */
export const HASH_SHAPE = { keySize: 8, valueSize: 20, maxEntries: 16 } as const
/** The shape of the array map. */
export const ARRAY_SHAPE = { keySize: 4, valueSize: 40, maxEntries: 8 } as const

/** An empty hash map with two handles, and an array map of zeros. */
export interface OpenedMaps {
  readonly hash: BpfMap
  readonly foreign: BpfMap
  readonly array: BpfMap
  close(): void | Promise<void>
}

/** Opens fresh maps for one test; may skip it. */
export type OpenMaps = (ctx: TestContext) => Promise<OpenedMaps>

const [ENOENT, E2BIG, EINVAL] = [2, 7, 22]

/** Runs the suite. */
export function bpfMapContract(title: string, open: OpenMaps): void {
  describe(title, () => {
    let maps: OpenedMaps
    beforeEach(async (ctx) => {
      maps = await open(ctx)
      onTestFinished(() => maps.close())
    })

    test('holds what is written, replaced and deleted', async () => {
      const { hash } = maps
      expect(await hash.update(keys(1, 2, 3), values(1, 2, 3))).toEqual([])
      expect(await hash.update(keys(2), values(9))).toEqual([])
      expect(await hash.delete(keys(1))).toEqual([])
      expect(await entriesOf(hash)).toEqual(pairs([2, 9], [3, 3]))
    })

    test('the last of two writes of one key holds', async () => {
      expect(await maps.hash.update(keys(1, 1), values(1, 2))).toEqual([])
      expect(await entriesOf(maps.hash)).toEqual(pairs([1, 2]))
    })

    test('a missing entry is ENOENT; the others are deleted', async () => {
      const { hash } = maps
      await hash.update(keys(1, 2, 3), values(1, 2, 3))
      expect(await hash.delete(keys(1, 7, 3, 8))).toEqual([0, ENOENT, 0, ENOENT])
      expect(await entriesOf(hash)).toEqual(pairs([2, 2]))
    })

    test('what does not fit is E2BIG; a full map still replaces', async () => {
      const { hash } = maps
      const numbers = Array.from({ length: HASH_SHAPE.maxEntries + 2 }, (_, index) => index)
      const errnos = await hash.update(keys(...numbers), values(...numbers))
      expect(errnos).toEqual([...numbers.slice(2).map(() => 0), E2BIG, E2BIG])
      expect(await hash.update(keys(3), values(77))).toEqual([])
      expect((await entriesOf(hash)).size).toBe(HASH_SHAPE.maxEntries)
    })

    test('nothing is nothing', async () => {
      expect(await maps.hash.update(keys(), values())).toEqual([])
      expect(await maps.hash.delete(keys())).toEqual([])
      expect(await entriesOf(maps.hash)).toEqual(new Map())
    })

    test.each([
      [8, 19],
      [7, 20],
      [16, 20],
      [8, 40],
      [0, 20],
    ])('%i bytes of keys with %i of values are refused untouched', async (keyBytes, valueBytes) => {
      const write = maps.hash.update(new Uint8Array(keyBytes), new Uint8Array(valueBytes))
      await expect(write).rejects.toMatchObject({ code: 'BPF_SHAPE' })
      expect(await entriesOf(maps.hash)).toEqual(new Map())
    })

    test('part of a key is not deleted', async () => {
      const deletion = maps.hash.delete(new Uint8Array(9))
      await expect(deletion).rejects.toMatchObject({ code: 'BPF_SHAPE' })
    })

    test('an audit needs a dump', async () => {
      expect(await maps.hash.audit()).toBe(false)
      await maps.hash.dump()
      expect(await maps.hash.audit()).toBe(true)
    })

    test('an audit knows our own writes, failed ones too', async () => {
      const { hash } = maps
      await hash.dump()
      await hash.update(keys(1, 2, 3), values(1, 2, 3))
      await hash.update(keys(2), values(8))
      await hash.delete(keys(3, 9))
      expect(await hash.audit()).toBe(true)
      const numbers = Array.from({ length: HASH_SHAPE.maxEntries }, (_, index) => 100 + index)
      expect(await hash.update(keys(...numbers), values(...numbers))).toContain(E2BIG)
      expect(await hash.audit()).toBe(true)
    })

    test.each([
      ['a changed value', (foreign: BpfMap) => foreign.update(keys(1), values(7))],
      ['an added entry', (foreign: BpfMap) => foreign.update(keys(5), values(5))],
      ['a deleted entry', (foreign: BpfMap) => foreign.delete(keys(2))],
      ['values that changed places', (foreign: BpfMap) => foreign.update(keys(1, 2), values(2, 1))],
    ])('an audit finds %s of another writer, until it is read', async (_, edit) => {
      const { hash, foreign } = maps
      await hash.dump()
      await hash.update(keys(1, 2), values(1, 2))
      await edit(foreign)
      expect(await hash.audit()).toBe(false)
      await hash.dump()
      expect(await hash.audit()).toBe(true)
    })

    test('an audit is content again once the change is put right', async () => {
      const { hash, foreign } = maps
      await hash.update(keys(1, 2), values(1, 2))
      await hash.dump()
      await foreign.update(keys(1), values(7))
      await hash.update(keys(1), values(1))
      expect(await hash.audit()).toBe(true)
    })

    test('what another deleted first is deleted for the audit too', async () => {
      const { hash, foreign } = maps
      await hash.update(keys(1, 2), values(1, 2))
      await hash.dump()
      await foreign.delete(keys(1))
      expect(await hash.delete(keys(1))).toEqual([ENOENT])
      expect(await hash.audit()).toBe(true)
    })

    test('an array holds all its entries, from the start and always', async () => {
      const { array } = maps
      const { maxEntries, keySize, valueSize } = ARRAY_SHAPE
      const zeros = await array.dump()
      expect(new Uint32Array(Uint8Array.from(zeros.keys).buffer)).toEqual(
        Uint32Array.from({ length: maxEntries }, (_, index) => index),
      )
      expect([...zeros.values]).toEqual(Array(maxEntries * valueSize).fill(0))
      const [first, beyond] = [new Uint8Array(keySize), new Uint8Array([maxEntries, 0, 0, 0])]
      const value = new Uint8Array(valueSize).fill(7)
      expect(await array.update(first, value)).toEqual([])
      expect(await array.update(beyond, value)).toEqual([E2BIG])
      expect(await array.delete(first)).toEqual([EINVAL])
      expect((await array.dump()).values.subarray(0, valueSize)).toEqual(value)
    })

    test('a closed handle refuses; closing again does no harm', async () => {
      const { hash, foreign } = maps
      hash.close()
      hash.close()
      for (const call of [hash.dump(), hash.audit(), hash.delete(keys(1))]) {
        await expect(call).rejects.toMatchObject({ code: 'BPF_CLOSED' })
      }
      expect(await foreign.update(keys(1), values(1))).toEqual([])
    })
  })
}

function keys(...numbers: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(numbers.flatMap((number) => [7, number])).buffer)
}

function values(...numbers: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(numbers.flatMap((n) => [n, 0, 0, 0, 0])).buffer)
}

function pairs(...entries: readonly (readonly [number, number])[]): Map<string, string> {
  return new Map(entries.map(([key, value]) => [hex(keys(key)), hex(values(value))]))
}

async function entriesOf(map: BpfMap): Promise<Map<string, string>> {
  const dump = await map.dump()
  const count = dump.keys.length / HASH_SHAPE.keySize
  const entries = Array.from({ length: count }, (_, index): [string, string] => [
    hex(dump.keys.subarray(index * 8, (index + 1) * 8)),
    hex(dump.values.subarray(index * 20, (index + 1) * 20)),
  ])
  return new Map(entries.sort(([left], [right]) => (left < right ? -1 : 1)))
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
