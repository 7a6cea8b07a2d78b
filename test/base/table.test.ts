import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Table, type TableChange } from '../../src/base/table.ts'

function watched(): { table: Table<string, number>; changes: TableChange<string, number>[] } {
  const table = new Table<string, number>()
  const changes: TableChange<string, number>[] = []
  table.onChange((change) => changes.push(change))
  return { table, changes }
}

test('an update is one revision that names the keys it changed', () => {
  const { table, changes } = watched()
  table.update([
    ['a', 1],
    ['b', 2],
  ])
  table.update([
    ['a', undefined],
    ['b', 2],
    ['c', 3],
  ])
  expect(changes.map(({ keys, snapshot }) => [[...keys], snapshot.revision])).toEqual([
    [['a', 'b'], 1],
    [['a', 'c'], 2],
  ])
  expect(table.snapshot.rows.toObject()).toEqual({ b: 2, c: 3 })
})

test('an update without a change makes no revision', () => {
  const { table, changes } = watched()
  table.update([['a', 1]])
  table.update([
    ['a', 1],
    ['b', undefined],
  ])
  expect(changes).toHaveLength(1)
  expect(table.snapshot.revision).toBe(1)
})

test('becoming complete is a revision of its own, and stays so', () => {
  const { table, changes } = watched()
  table.update([], true)
  table.update([], true)
  table.update([['a', 1]])
  expect(changes.map(({ snapshot }) => snapshot.isComplete)).toEqual([true, true])
})

test('a snapshot does not change under its reader', () => {
  const { table } = watched()
  table.update([['a', 1]])
  const { snapshot } = table
  table.update([['a', undefined]])
  expect(snapshot.rows.get('a')).toBe(1)
  expect(snapshot.isComplete).toBe(false)
})

test('a listener that ended hears no more', () => {
  const { table } = watched()
  const heard: number[] = []
  const stop = table.onChange(({ snapshot }) => heard.push(snapshot.revision))
  table.update([['a', 1]])
  stop()
  table.update([['a', 2]])
  expect(heard).toEqual([1])
})

test('replace makes the rows equal, names what differs, and completes', () => {
  const rows = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(2))
  fc.assert(
    fc.property(rows, rows, (before, after) => {
      const { table, changes } = watched()
      table.replace(new Map(Object.entries(before)))
      table.replace(new Map(Object.entries(after)))
      expect(table.snapshot.rows.toObject()).toEqual({ ...after })
      expect(table.snapshot.isComplete).toBe(true)
      const differing = ['a', 'b', 'c', 'd'].filter((key) => before[key] !== after[key])
      const named = changes.length > 1 ? [...(changes.at(-1)?.keys ?? [])].sort() : []
      expect(named).toEqual(differing)
    }),
  )
})
