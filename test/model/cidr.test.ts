import { BlockList } from 'node:net'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bitsOf, contains, formatCidr, lastOf, parseCidr } from '../../src/model/cidr.ts'
import { familyOf, ipToBigint } from '../../src/model/ip.ts'
import { anyIp } from './addresses.ts'

test.for([
  ['11.0.0.0/8', '11.0.0.0/8', '11.255.255.255'],
  ['11.1.2.3/8', '11.0.0.0/8', '11.255.255.255'],
  ['9.0.1.0/24', '9.0.1.0/24', '9.0.1.255'],
  ['1.2.3.4/32', '1.2.3.4/32', '1.2.3.4'],
  ['0.0.0.0/0', '0.0.0.0/0', '255.255.255.255'],
  ['fd01:c::/64', 'fd01:c::/64', 'fd01:c::ffff:ffff:ffff:ffff'],
  ['fd01:c::5/128', 'fd01:c::5/128', 'fd01:c::5'],
] as const)('%s is the block %s up to %s', ([text, block, last]) => {
  const cidr = parseCidr(text)
  expect(cidr && [formatCidr(cidr), lastOf(cidr)]).toEqual([block, last])
})

test.for([
  '11.0.0.0',
  '11.0.0.0/33',
  '::/129',
  '/8',
  '11.0.0.0/',
  '1.2.3.4/-1',
  'x/8',
  '1.2.3.4/ 8',
])('%j is no block', (text) => {
  expect(parseCidr(text)).toBeUndefined()
})

const anyBlock = fc
  .tuple(anyIp, fc.nat(128))
  .map(([ip, bits]) => parseCidr(`${ip}/${Math.min(bits, bitsOf(familyOf(ip)))}`))
  .filter((cidr) => cidr !== undefined)

test('a block reads back as it was written, and has its ends', () => {
  fc.assert(
    fc.property(anyBlock, (cidr) => {
      expect(parseCidr(formatCidr(cidr))).toEqual(cidr)
      expect(contains(cidr, cidr.base) && contains(cidr, lastOf(cidr))).toBe(true)
      const sizeBits = BigInt(bitsOf(familyOf(cidr.base)) - cidr.prefixLength)
      expect(ipToBigint(lastOf(cidr)) - ipToBigint(cidr.base) + 1n).toBe(1n << sizeBits)
    }),
  )
})

test('what lies in a block is what Node says', () => {
  fc.assert(
    fc.property(anyBlock, anyIp, (cidr, ip) => {
      const name = (address: typeof ip) => (familyOf(address) === 4 ? 'ipv4' : 'ipv6')
      const list = new BlockList()
      list.addSubnet(cidr.base, cidr.prefixLength, name(cidr.base))
      const isSameFamily = familyOf(ip) === familyOf(cidr.base)
      expect(contains(cidr, ip)).toBe(isSameFamily && list.check(ip, name(ip)))
    }),
  )
})
