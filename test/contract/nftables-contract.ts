/** What every implementation of nf_tables does; the kernel's is the measure. */
import { beforeEach, describe, expect, onTestFinished, type TestContext, test } from 'vitest'
import type { Nftables, NftOperation } from '../../src/kernel/nftables.ts'
import { CASES, PREPARATION } from './nftables-cases.ts'
import * as nft from './nftables-steps.ts'

/** The empty nf_tables of a network namespace. */
export interface OpenedNftables {
  readonly nftables: Nftables
  close(): void | Promise<void>
}

/** Opens a fresh namespace for one test; may skip it. */
export type OpenNftables = (ctx: TestContext) => Promise<OpenedNftables>

/** Runs the suite. */
export function nftablesContract(title: string, open: OpenNftables): void {
  describe(title, () => {
    let nftables: Nftables
    beforeEach(async (ctx) => {
      const opened = await open(ctx)
      onTestFinished(() => opened.close())
      nftables = opened.nftables
      expect(await answersTo(nftables, PREPARATION)).toMatch(/^(OK ?)+$/)
    })

    test.each(CASES)('$name: $answers', async ({ steps, answers }) => {
      const before = await everythingOf(nftables)
      const results = await nftables.transaction(steps)
      expect(results.map(({ name }) => name).join(' ')).toBe(answers)
      const isFine = results.every(({ errno }) => errno === 0)
      expect(results.map(({ applied }) => applied)).toEqual(results.map(() => isFine))
      if (!isFine) expect(await everythingOf(nftables)).toEqual(before)
    })

    test('a table that is not there is undefined', async () => {
      expect(await nftables.table('nsv-absent')).toBeUndefined()
      expect(await answersTo(nftables, [nft.deleteTable])).toBe('OK')
      expect(await nftables.table(nft.TABLE)).toBeUndefined()
      expect(await answersTo(nftables, [nft.deleteTable])).toBe('ENOENT')
    })

    test('a table is listed as it was made', async () => {
      const table = await nftables.table(nft.TABLE)
      const names = ['a', 'b', 't', 'free', 'base', 'nat']
      expect(table?.chains.map(({ name }) => name)).toEqual(names)
      expect(table?.chains.find(({ name }) => name === 'base')?.hook).toEqual(nft.HOOK)
      expect(table?.chains.find(({ name }) => name === 'a')?.hook).toBeUndefined()
      expect(table?.rules).toHaveLength(1)
      expect(table?.rules[0]).toMatchObject({
        chain: 'a',
        expressions: [...nft.lookup('m'), nft.goto('b')],
      })
      expect(table?.sets).toHaveLength(3)
      expect(table?.sets.find(({ name }) => name === 'm')).toMatchObject(nft.MAP)
      expect(table?.sets.find(({ name }) => name === 's')).toMatchObject(nft.SET)
      expect(table?.sets.find(({ name }) => name === 'v')).toMatchObject(nft.VERDICTS)
    })

    test('rules stay in the order in which they were added', async () => {
      const rules = ['b', 't', 'a'].map((chain) => nft.addRule('free', nft.goto(chain)))
      expect(await answersTo(nftables, rules)).toBe('OK OK OK')
      const listed = (await nftables.table(nft.TABLE))?.rules.filter(
        ({ chain }) => chain === 'free',
      )
      expect(listed?.map(({ expressions }) => expressions)).toEqual(
        ['b', 't', 'a'].map((chain) => [nft.goto(chain)]),
      )
    })

    test('elements are read with their values or chains', async () => {
      expect(await everythingOf(nftables)).toMatchObject({
        elements: { m: ['1 10', '2 20'], s: ['1'], v: ['1 t'] },
      })
      await nftables.transaction([nft.deleteKeys('m', 1), nft.addPairs('m', [1, 11], [3, 30])])
      await nftables.transaction([nft.flushSet('v'), nft.flushSet('s')])
      expect(await everythingOf(nftables)).toMatchObject({
        elements: { m: ['1 11', '2 20', '3 30'], s: [], v: [] },
      })
    })

    test.each([
      ['nsv-absent', 'm', 4, 4],
      [nft.TABLE, 'absent', 4, 4],
      [nft.TABLE, 'm', 4, 0],
      [nft.TABLE, 'm', 8, 4],
      [nft.TABLE, 's', 4, 4],
      [nft.TABLE, 'v', 4, 4],
    ])(
      '%s %s has no keys of %i with values of %i bytes to read',
      async (...[table, set, keyLength, valueLength]) => {
        const reading = nftables.elements({ table, set, keyLength, valueLength })
        await expect(reading).rejects.toMatchObject({ code: 'KERNEL_READ_FAILED' })
      },
    )

    test('parts of elements are refused before anything is sent', async () => {
      const whole = { kind: 'addElements', table: nft.TABLE, set: 'm', setSpec: nft.MAP } as const
      const broken: readonly NftOperation[] = [
        { ...whole, keys: new Uint8Array(6), values: nft.numbers(1) },
        { ...whole, keys: nft.numbers(1, 2, 3), values: nft.numbers(1) },
        { ...whole, set: 'v', setSpec: nft.VERDICTS, keys: nft.numbers(5, 6), chains: ['t'] },
      ]
      for (const operation of broken) {
        const sending = nftables.transaction([nft.deleteTable, operation])
        await expect(sending).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
      }
      expect(await nftables.table(nft.TABLE)).toBeDefined()
    })

    test('nothing is no transaction', async () => {
      expect(await nftables.transaction([])).toEqual([])
    })
  })
}

async function answersTo(nftables: Nftables, steps: readonly NftOperation[]): Promise<string> {
  return (await nftables.transaction(steps)).map(({ name }) => name).join(' ')
}

/** The table without handles and generation, and its elements as text. */
async function everythingOf(nftables: Nftables): Promise<object> {
  const table = await nftables.table(nft.TABLE)
  const elements: Record<string, string[]> = {}
  for (const [set, valueLength] of [
    ['m', 4],
    ['s', 0],
    ['v', 0],
  ] as const) {
    const request = { table: nft.TABLE, set, keyLength: 4, valueLength }
    const { keys, values, chains } = await nftables.elements(request)
    const [keyNumbers, valueNumbers] = [numbersOf(keys), numbersOf(values)]
    elements[set] = keyNumbers
      .map((key, index) => [key, chains?.[index] ?? valueNumbers[index]])
      .map((parts) => parts.filter((part) => part !== undefined).join(' '))
      .sort()
  }
  return {
    chains: table?.chains.map(({ name, hook }) => ({ name, hook })),
    rules: table?.rules.map(({ chain, expressions }) => ({ chain, expressions })),
    sets: table?.sets.map(({ name }) => name),
    elements,
  }
}

function numbersOf(bytes: Uint8Array): number[] {
  return [...new Uint32Array(Uint8Array.from(bytes).buffer)]
}
