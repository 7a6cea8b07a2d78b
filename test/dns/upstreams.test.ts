import { expect, test } from 'vitest'
import { parseResolvConf, withoutOwn } from '../../src/dns/upstreams.ts'
import { type Endpoint, parseEndpoint } from '../../src/model/endpoint.ts'
import { formatEndpoint } from '../../src/model/vip.ts'

test('resolv.conf names its resolvers in order; what is none is skipped', () => {
  const text = [
    '# nameserver 9.9.9.9',
    '; nameserver 9.9.9.8',
    'search example.org',
    'nameserver 10.0.0.2',
    '  nameserver\tfd00::2 # trailing',
    'nameserver 10.0.0.3:5353',
    'nameserver [fd00::3]:5353',
    'nameserver fe80::1%eth0',
    'nameserver resolver.example.org',
    'nameserver',
    'options timeout:1',
  ].join('\n')
  expect(parseResolvConf(text).map(formatEndpoint)).toEqual([
    '10.0.0.2:53',
    '[fd00::2]:53',
    '10.0.0.3:5353',
    '[fd00::3]:5353',
  ])
})

function endpoints(...texts: readonly string[]): readonly Endpoint[] {
  return texts.flatMap((text) => parseEndpoint(text) ?? [])
}

const cases = [
  ['an own address', ['198.51.100.1:53'], '198.51.100.1:53', false],
  ['an own IPv6 address', ['[fd01:d::1]:53'], '[fd01:d::1]:53', false],
  ['another port of an own address', ['127.0.0.1:5300'], '127.0.0.1:53', true],
  ['another address', ['198.51.100.1:53'], '10.0.0.2:53', true],
  ['an address of the host behind a wildcard', ['0.0.0.0:53'], '10.9.9.9:53', false],
  ['loopback behind a wildcard', ['0.0.0.0:53'], '127.0.0.53:53', false],
  ['a foreign address beside a wildcard', ['0.0.0.0:53'], '10.0.0.2:53', true],
  ['the unspecified address', ['127.0.0.1:53'], '0.0.0.0:53', false],
] as const

test.for(cases)('%s: %s listens, %s is asked: %s', ([, listen, upstream, isAsked]) => {
  const own = { listen: endpoints(...listen), local: new Set(['10.9.9.9']) }
  expect(withoutOwn(endpoints(upstream), own)).toHaveLength(isAsked ? 1 : 0)
})
