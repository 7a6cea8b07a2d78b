import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Table } from '../../src/base/table.ts'
import { NameZone, type Zone } from '../../src/dns/zone.ts'
import { ZoneRoutes } from '../../src/dns/zone-routes.ts'
import type { Ip } from '../../src/model/ip.ts'
import type { NameRecord } from '../../src/model/name-record.ts'

function zoneOf(names: Table<string, NameRecord>): NameZone {
  return new NameZone({ origin: 'Zone.Test.', ttlSeconds: 5, names })
}

test('rows that share a name are answered together, and each leaves alone', () => {
  const names = new Table<string, NameRecord>()
  const zone = zoneOf(names)
  names.replace(
    new Map([
      ['/ab', { name: 'ab.fw', addresses: ['11.0.0.1' as Ip] }],
      ['ab', { name: 'ab.fw', addresses: ['11.0.0.2' as Ip] }],
    ]),
  )
  expect(zone.nameCount).toBe(1)
  const both = [{ data: '11.0.0.1' }, { data: '11.0.0.2' }]
  expect(zone.lookup('ab.fw')).toMatchObject({ records: both })
  names.update([['/ab', undefined]])
  expect(zone.lookup('ab.fw')).toMatchObject({ records: [{ data: '11.0.0.2' }] })
  expect(zone.lookup('fw')).toEqual({ kind: 'found', records: [] })
  names.update([['ab', undefined]])
  expect([zone.lookup('ab.fw').kind, zone.lookup('fw').kind]).toEqual(['absent', 'absent'])
})

test('a row that changes its name leaves nothing under the old one', () => {
  const names = new Table<string, NameRecord>()
  const zone = zoneOf(names)
  names.update([['key', { name: 'x.old', addresses: ['11.0.0.1' as Ip] }]], true)
  names.update([['key', { name: 'x.new', addresses: ['11.0.0.1' as Ip] }]])
  expect(['x.old', 'old', 'x.new', 'new'].map((name) => zone.lookup(name).kind)).toEqual([
    'absent',
    'absent',
    'found',
    'found',
  ])
})

test('a closed zone follows no more', () => {
  const names = new Table<string, NameRecord>()
  const zone = zoneOf(names)
  zone.close()
  names.update([['a', { name: 'a', addresses: [] }]], true)
  expect(zone.nameCount).toBe(0)
})

test('changes row by row lead to the same zone as all rows at once', () => {
  const name = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 })
  const row = fc.option(
    name.map((labels) => ({ name: labels.join('.'), addresses: ['11.0.0.1' as Ip] })),
    { nil: undefined },
  )
  const changes = fc.array(fc.tuple(fc.constantFrom('k1', 'k2', 'k3'), row), { maxLength: 20 })
  fc.assert(
    fc.property(changes, (list) => {
      const names = new Table<string, NameRecord>()
      const followed = zoneOf(names)
      for (const change of list) names.update([change], true)
      names.update([], true)
      const built = zoneOf(names)
      for (const probe of ['a', 'b', 'a.b', 'b.a', 'c.c', 'a.b.c', 'b.c', 'c'])
        expect(followed.lookup(probe)).toEqual(built.lookup(probe))
      expect(followed.nameCount).toBe(built.nameCount)
    }),
  )
})

test('the zone with the longest suffix answers', () => {
  const zones = ['a.test', 'b.a.test', 'test'].map(
    (origin): Zone => ({
      origin,
      soa: { type: 'NS', ttlSeconds: 1, data: origin },
      lookup: () => ({ kind: 'absent' }),
    }),
  )
  const routes = new ZoneRoutes(zones)
  const found = ['x.b.a.test', 'b.a.test', 'xb.a.test', 'test', 'x.y.test', 'other', ''].map(
    (name) => {
      const route = routes.find(name)
      return route && `${route.name}|${route.zone.origin}`
    },
  )
  expect(found).toEqual([
    'x|b.a.test',
    '|b.a.test',
    'xb|a.test',
    '|test',
    'x.y|test',
    undefined,
    undefined,
  ])
})
