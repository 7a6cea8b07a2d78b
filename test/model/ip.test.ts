import { isIP } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { familyOf, ipFromBigint, ipToBigint, isIpv4, parseIp } from '../../src/model/ip.ts'
import { readIp, readIp16, writeIp, writeIp16 } from '../../src/model/ip-bytes.ts'
import { anyIp, anyIpv4, anyIpv6 } from './addresses.ts'

test.for([
  ['11.0.0.37', '11.0.0.37'],
  ['0.0.0.0', '0.0.0.0'],
  ['255.255.255.255', '255.255.255.255'],
  ['FD01:C::5', 'fd01:c::5'],
  ['fd01:000c:0:0:0:0:0:5', 'fd01:c::5'],
  ['::', '::'],
  ['::1', '::1'],
  ['1::', '1::'],
  // RFC 5952: one zero group stays, the longest run is shortened, of equal ones the first.
  ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
  ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
  ['1:0:0:2:3:0:0:4', '1::2:3:0:0:4'],
  ['::ffff:10.1.2.3', '10.1.2.3'],
  ['::ffff:a01:203', '10.1.2.3'],
] as const)('%s is the address %s', ([text, canonical]) => {
  expect(parseIp(text)).toBe(canonical)
})

test.for([
  '',
  ' ',
  '1.2.3',
  '1.2.3.4.5',
  '1.2.3.256',
  '01.2.3.4',
  '1.2.3.4 ',
  '1.2.3.-4',
  '0x1.2.3.4',
  '1.2.3.4/32',
  '[::1]',
  'fe80::1%eth0',
  ':::',
  '1::2::3',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '12345::',
  'g::1',
  'web',
  '1'.repeat(1000),
])('%j is no address', (text) => {
  expect(parseIp(text)).toBeUndefined()
})

test('no text makes the parser throw, and what it takes Node takes too', () => {
  const text = fc.oneof(
    fc.string(),
    fc.stringMatching(/^[0-9a-f:.]{0,40}$/),
    fc.stringMatching(/^\d{1,3}(\.\d{1,3}){3}$/),
  )
  fc.assert(
    fc.property(text, (candidate) => {
      if (parseIp(candidate) !== undefined) expect(isIP(candidate)).toBeGreaterThan(0)
    }),
    { numRuns: 2000 },
  )
})

test('every address that Node takes is parsed, to the text that URL gives it', () => {
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      const canonical = new URL(`http://[${text}]`).hostname.slice(1, -1)
      const parsed = parseIp(text)
      expect(parsed).toBeDefined()
      if (parsed?.includes(':')) expect(parsed).toBe(canonical)
    }),
  )
  fc.assert(
    fc.property(fc.ipV4(), (text) => {
      expect(parseIp(text)).toBe(text)
    }),
  )
})

describe('round trips', () => {
  test('text and number', () => {
    fc.assert(
      fc.property(anyIp, (ip) => {
        expect(parseIp(ip)).toBe(ip)
        expect(ipFromBigint(ipToBigint(ip), familyOf(ip))).toBe(ip)
      }),
    )
  })

  test('own size in bytes', () => {
    fc.assert(
      fc.property(anyIp, fc.nat(5), (ip, offset) => {
        const bytes = new Uint8Array(32)
        writeIp(ip, bytes, offset)
        expect(readIp(bytes, offset, isIpv4(ip) ? 4 : 16)).toBe(ip)
      }),
    )
  })

  test('sixteen bytes, on memory that was used before', () => {
    fc.assert(
      fc.property(anyIp, fc.nat(5), (ip, offset) => {
        const bytes = new Uint8Array(32).fill(0xaa)
        writeIp16(ip, bytes, offset)
        expect(readIp16(bytes, offset)).toBe(ip)
        expect(bytes[offset + 16]).toBe(0xaa)
      }),
    )
  })
})

test('bytes are in network order, IPv4 in sixteen as v4-mapped', () => {
  const bytes = new Uint8Array(16)
  writeIp16(ipFromBigint(0x0b000025n, 4), bytes, 0)
  expect(Buffer.from(bytes).toString('hex')).toBe('00000000000000000000ffff0b000025')
  writeIp16(ipFromBigint(0xfd01000c0000000000000000000000_05n, 6), bytes, 0)
  expect(Buffer.from(bytes).toString('hex')).toBe('fd01000c000000000000000000000005')
})

test('families are told apart', () => {
  fc.assert(
    fc.property(anyIpv4, (ip) => {
      expect([familyOf(ip), isIpv4(ip)]).toEqual([4, true])
    }),
  )
  fc.assert(
    fc.property(anyIpv6, (ip) => {
      expect([familyOf(ip), isIpv4(ip)]).toEqual([6, false])
    }),
  )
})
