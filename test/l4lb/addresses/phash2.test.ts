import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { planAddresses } from '../../../src/l4lb/addresses/address-plan.ts'
import { phash2 } from '../../../src/l4lb/addresses/phash2.ts'
import { ip } from '../records.ts'
import { runs } from '../runs.ts'

/** **Source:** dcos-net `dcos_l4lb_lashup_vip_listener_tests`: range 11.0.0.0–11.0.0.254 */
const VECTORS = [
  ['foo.bar', 37],
  ['baz.qux', 39],
] as const

describe('phash2', () => {
  test.each(VECTORS)('of %s is %i in 254', (name, expected) => {
    expect(phash2(Buffer.from(name), 254)).toBe(expected)
  })

  test('is lookup2 for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(phash2(bytes, 2 ** 32)).toBe(lookup2(bytes, 0x08d12e65))
      }),
      runs(500),
    )
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

/** As the article has it, with 64-bit numbers cut to 32 bits. */
function lookup2(bytes: Uint8Array, seed: number): number {
  let [a, b, c] = [0x9e3779b9n, 0x9e3779b9n, BigInt(seed)]
  const cut = (value: bigint): bigint => BigInt.asUintN(32, value)
  const byte = (index: number): bigint => BigInt(bytes[index] ?? 0)
  const word = (at: number): bigint =>
    byte(at) + (byte(at + 1) << 8n) + (byte(at + 2) << 16n) + (byte(at + 3) << 24n)
  const mix = (): void => {
    a = cut(a - b - c) ^ (c >> 13n)
    b = cut(b - c - a) ^ cut(a << 8n)
    c = cut(c - a - b) ^ (b >> 13n)
    a = cut(a - b - c) ^ (c >> 12n)
    b = cut(b - c - a) ^ cut(a << 16n)
    c = cut(c - a - b) ^ (b >> 5n)
    a = cut(a - b - c) ^ (c >> 3n)
    b = cut(b - c - a) ^ cut(a << 10n)
    c = cut(c - a - b) ^ (b >> 15n)
  }
  let at = 0
  for (; bytes.length - at >= 12; at += 12) {
    a = cut(a + word(at))
    b = cut(b + word(at + 4))
    c = cut(c + word(at + 8))
    mix()
  }
  a = cut(a + word(at))
  b = cut(b + word(at + 4))
  c = cut(
    c +
      BigInt(bytes.length) +
      (byte(at + 8) << 8n) +
      (byte(at + 9) << 16n) +
      (byte(at + 10) << 24n),
  )
  mix()
  return Number(c)
}

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
