import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  AddressPlanner,
  planAddresses,
  type VipRange,
} from '../../../src/l4lb/addresses/address-plan.ts'
import { phash2 } from '../../../src/l4lb/addresses/phash2.ts'
import { familyOf, type Ip, ipFromBigint, ipToBigint } from '../../../src/model/ip.ts'
import { ip } from '../records.ts'
import { runs } from '../runs.ts'

/** A plan by the rule and nothing else: names in order, the first free address from their own on. */
function oracle(names: ReadonlySet<string>, { first, last }: VipRange): Map<string, Ip> {
  const size = Number(ipToBigint(last) - ipToBigint(first)) + 1
  const plan = new Map<string, Ip>()
  for (const name of [...names].sort()) {
    const own = firstOf(name, familyOf(first), size - 1)
    for (let probe = 0; probe < size; probe++) {
      const value = ipToBigint(first) + BigInt((own + probe) % size)
      const address = ipFromBigint(value, familyOf(first))
      if ([...plan.values()].includes(address)) continue
      plan.set(name, address)
      break
    }
  }
  return plan
}

function firstOf(name: string, family: 4 | 6, modulus: number): number {
  if (modulus === 0) return 0
  if (family === 4) return phash2(Buffer.from(name), modulus)
  return Number(BigInt(`0x${createHash('sha1').update(name).digest('hex')}`) % BigInt(modulus))
}

const anyRange = fc.tuple(fc.constantFrom('11.0.0.0', 'fd01:c::'), fc.nat(12)).map(
  ([first, size]): VipRange => ({
    first: ip(first),
    last: ipFromBigint(ipToBigint(ip(first)) + BigInt(size), familyOf(ip(first))),
  }),
)

const anyName = fc.nat(20).map((number) => `name-${number}.marathon`)
const anyChange = fc.tuple(fc.boolean(), anyName)

describe('the address plan', () => {
  test('is that of the naive rule, after any changes, in ranges that overflow', () => {
    fc.assert(
      fc.property(anyRange, fc.array(anyChange, { maxLength: 60 }), (range, changes) => {
        const planner = new AddressPlanner(range)
        const names = new Set<string>()
        let before = new Map<string, Ip>()
        for (const [isAdded, name] of changes) {
          const moved = isAdded ? planner.add(name) : planner.remove(name)
          if (isAdded) names.add(name)
          else names.delete(name)
          const expected = oracle(names, range)
          expect(new Map(planner.addresses)).toEqual(expected)
          expect([...planner.unplaced].sort()).toEqual(
            [...names].filter((each) => !expected.has(each)).sort(),
          )
          expect(new Set(moved)).toEqual(differences(before, expected))
          before = expected
        }
        expect(planAddresses([...names, ...names], range).addresses).toEqual(before)
      }),
      runs(300),
    )
  })

  test('is the same for every order of arrival', () => {
    const names = fc.uniqueArray(anyName, { minLength: 2 })
    const orders = names.chain((all) =>
      fc.tuple(fc.shuffledSubarray(all, { minLength: all.length }), fc.constant(all)),
    )
    fc.assert(
      fc.property(anyRange, orders, (range, [left, right]) => {
        const planners = [left, right].map((order) => {
          const planner = new AddressPlanner(range)
          for (const name of order) planner.add(name)
          return planner
        })
        expect(new Map(planners[0]?.addresses)).toEqual(new Map(planners[1]?.addresses))
      }),
      runs(200),
    )
  })

  test('gives distinct addresses of the range', () => {
    fc.assert(
      fc.property(anyRange, fc.array(anyName), (range, names) => {
        const addresses = [...planAddresses(names, range).addresses.values()]
        expect(new Set(addresses).size).toBe(addresses.length)
        const numbers = addresses.map(ipToBigint)
        const isInside = (each: bigint) =>
          each >= ipToBigint(range.first) && each <= ipToBigint(range.last)
        expect(numbers.every(isInside)).toBe(true)
      }),
      runs(200),
    )
  })

  test('fills the largest range without reaching past it', () => {
    const range = { first: ip('0.0.0.0'), last: ip('255.255.255.255') }
    const names = Array.from({ length: 2000 }, (_, index) => `n${index}`)
    const { addresses, unplaced } = planAddresses(names, range)
    expect(new Set(addresses.values()).size).toBe(2000)
    expect(unplaced).toEqual([])
  })

  test('costs nothing but the change while names do not contend', () => {
    const planner = new AddressPlanner({ first: ip('11.0.0.0'), last: ip('11.255.255.255') })
    expect(planner.add('web.marathon')).toEqual(['web.marathon'])
    expect(planner.add('web.marathon')).toEqual([])
    expect(planner.remove('api.marathon')).toEqual([])
    expect(planner.remove('web.marathon')).toEqual(['web.marathon'])
    expect(planner.addresses.size).toBe(0)
  })
})

function differences(before: ReadonlyMap<string, Ip>, after: ReadonlyMap<string, Ip>): Set<string> {
  const names = [...before.keys(), ...after.keys()]
  return new Set(names.filter((name) => before.get(name) !== after.get(name)))
}
