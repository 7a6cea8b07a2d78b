import { describe, expect, test } from 'vitest'
import { planAddresses } from '../../src/l4lb/address-plan.ts'
import { phash2 } from '../../src/l4lb/phash2.ts'
import { ip } from './records.ts'

/** **Source:** dcos-net `dcos_l4lb_lashup_vip_listener_tests`: range 11.0.0.0–11.0.0.254 */
const VECTORS = [
  ['foo.bar', 37],
  ['baz.qux', 39],
] as const

describe('phash2', () => {
  test.each(VECTORS)('of %s is %i in 254', (name, expected) => {
    expect(phash2(Buffer.from(name), 254)).toBe(expected)
  })

  test('depends on each byte, on the length, and on bytes of any alignment', () => {
    for (let length = 0; length <= 40; length++) {
      const bytes = Uint8Array.from({ length }, (_, index) => index * 7)
      const whole = phash2(bytes, 2 ** 32)
      const shifted = new Uint8Array(length + 3)
      shifted.set(bytes, 3)
      expect(phash2(shifted.subarray(3), 2 ** 32)).toBe(whole)
      const changed = bytes.map((byte, index) => (index === length - 1 ? byte ^ 128 : byte))
      if (length > 0) expect(phash2(changed, 2 ** 32)).not.toBe(whole)
      expect(phash2(Uint8Array.of(...bytes, 0), 2 ** 32)).not.toBe(whole)
    }
  })

  test('stays in its range', () => {
    for (let range = 1; range < 50; range++) {
      const hash = phash2(Buffer.from(`name ${range}`), range)
      expect(hash >= 0 && hash < range && Number.isInteger(hash)).toBe(true)
    }
  })
})

test('the plan gives the addresses that DC/OS gives', () => {
  const range4 = { first: ip('11.0.0.0'), last: ip('11.0.0.254') }
  expect(planAddresses(['foo.bar', 'baz.qux'], range4).addresses).toEqual(
    new Map([
      ['baz.qux', '11.0.0.39'],
      ['foo.bar', '11.0.0.37'],
    ]),
  )
  const range6 = { first: ip('fd01:c::'), last: ip('fd01:c::ffff:ffff:ffff:ffff') }
  const { addresses } = planAddresses(['qux.ipv6'], range6)
  expect(addresses.get('qux.ipv6')).toBe('fd01:c::6d6d:9c64:fd19:f251')
})
