import fc from 'fast-check'
import { type Ip, ipFromBigint } from '../../src/model/ip.ts'

/** Any IPv4 address. */
export const anyIpv4: fc.Arbitrary<Ip> = fc
  .bigInt({ min: 0n, max: 2n ** 32n - 1n })
  .map((value) => ipFromBigint(value, 4))

const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }))

/** Any IPv6 address that is not v4-mapped; zero groups are frequent. */
export const anyIpv6: fc.Arbitrary<Ip> = fc
  .array(group, { minLength: 8, maxLength: 8 })
  .map((groups) => groups.reduce((value, part) => (value << 16n) | BigInt(part), 0n))
  .filter((value) => value >> 32n !== 0xffffn)
  .map((value) => ipFromBigint(value, 6))

/** Any address. */
export const anyIp: fc.Arbitrary<Ip> = fc.oneof(anyIpv4, anyIpv6)
