import { describe, expect, test } from 'vitest'
import { desiredServices } from '../../../src/l4lb/services/desired.ts'
import { ownerOf } from '../../../src/l4lb/services/name-owner.ts'
import type { BackendRecord } from '../../../src/model/backend-record.ts'
import { formatEndpoint } from '../../../src/model/vip.ts'
import { parseZone } from '../../../src/model/zone.ts'
import { ip, nodeId, port, record, vip } from '../records.ts'

const context = {
  addressOf: (name: string, family: 4 | 6) => {
    if (name !== 'web.marathon') return undefined
    return ip(family === 4 ? '11.0.0.37' : 'fd01:c::37')
  },
  nodeIp: ip('10.0.0.1'),
}

/** Services as text: key, then endpoints with their weights. */
function desired(...records: readonly BackendRecord[]): Record<string, string[]> {
  const services = desiredServices(records, context)
  return Object.fromEntries(
    [...services].map(([key, { backends }]) => [
      key,
      backends.map((backend) => `${formatEndpoint(backend)} x${backend.weight}`),
    ]),
  )
}

describe('desired services', () => {
  test('are one per address, port and protocol', () => {
    expect(
      desired(
        record(),
        record({ protocol: 'udp' }),
        record({ vipPort: port(443) }),
        record({ address: ip('fd00::1') }),
        record({ vip: vip('10.1.2.3') }),
      ),
    ).toEqual({
      'tcp/11.0.0.37/80': ['10.0.0.1:8080 x1'],
      'udp/11.0.0.37/80': ['10.0.0.1:8080 x1'],
      'tcp/11.0.0.37/443': ['10.0.0.1:8080 x1'],
      'tcp/fd01:c::37/80': ['[fd00::1]:8080 x1'],
      'tcp/10.1.2.3/80': ['10.0.0.1:8080 x1'],
    })
  })

  test('have sorted backends; of one endpoint the largest weight counts', () => {
    const other = { address: ip('10.0.0.2') }
    const records = [
      record({ ...other, weight: 0 }),
      record(),
      record({ ...other, weight: 1 }),
      record({ weight: 0 }),
    ]
    const expected = { 'tcp/11.0.0.37/80': ['10.0.0.1:8080 x1', '10.0.0.2:8080 x1'] }
    expect(desired(...records)).toEqual(expected)
    expect(desired(...records.toReversed())).toEqual(expected)
  })

  test('pass by the port mapping of this node, and of no other', () => {
    const local = { address: ip('9.0.1.5'), port: port(80) }
    const here = record({ port: port(31000), local })
    const there = record({
      address: ip('10.0.0.2'),
      nodeIp: ip('10.0.0.2'),
      port: port(31000),
      local,
    })
    expect(desired(here, there)).toEqual({
      'tcp/11.0.0.37/80': ['10.0.0.2:31000 x1', '9.0.1.5:80 x1'],
    })
  })

  test.each([
    ['x1? x1', ['x0', 'x1']],
    ['x1? x0', ['x1', 'x0']],
    ['x1? x0?', ['x1', 'x0']],
    ['x1? x1?', ['x1', 'x1']],
    ['x1 x1', ['x1', 'x1']],
  ])('with backends %s, doubted ones marked, take connections %j', (given, expected) => {
    const records = given.split(' ').map((text, index) =>
      record({
        address: ip(`10.0.0.${index + 1}`),
        weight: Number(text[1]),
        ...(text.endsWith('?') && { isDoubted: true }),
      }),
    )
    const weights = desired(...records)['tcp/11.0.0.37/80']?.map((each) => each.split(' ')[1])
    expect(weights).toEqual(expected)
  })

  test('of two families doubt apart; an endpoint that another node states too is not doubted', () => {
    const doubted = record({ address: ip('fd00::2'), isDoubted: true })
    const known = { node: nodeId(2), isDoubted: true } as const
    expect(desired(record(), record(known), doubted)).toEqual({
      'tcp/11.0.0.37/80': ['10.0.0.1:8080 x1'],
      'tcp/fd01:c::37/80': ['[fd00::2]:8080 x1'],
    })
  })

  test('leave out names without an address', () => {
    expect(desired(record({ vip: vip('/api') }))).toEqual({})
  })
})

describe('the owner of a name', () => {
  test.each([
    [[], undefined],
    [['/web@marathon'], '/web@marathon'],
    [['web@marathon', '/web@marathon'], '/web@marathon'],
    [['/ab/c@marathon', '/a/bc@marathon'], '/a/bc@marathon'],
  ])('of %j is %s', (claims, owner) => {
    expect(ownerOf(new Set(claims))).toBe(owner)
    expect(ownerOf(new Set(claims.toReversed()))).toBe(owner)
  })
})

describe('a service that prefers near backends', () => {
  const zone = parseZone('hall-1')
  const far = { nodeIp: ip('10.0.0.9'), address: ip('10.0.0.9') }

  function nearOf(record: BackendRecord): string | undefined {
    const [service] = desiredServices([record], { ...context, zone }).values()
    return service?.backends[0]?.near
  }

  test('knows which are on its node and in its zone', () => {
    const options = { locality: 'node' } as const
    expect(nearOf(record({ options }))).toBe('node')
    expect(nearOf(record({ options, ...far, ...(zone && { zone }) }))).toBe('zone')
    expect(nearOf(record({ options, ...far }))).toBeUndefined()
  })

  test('is the only one that does', () => {
    expect(nearOf(record())).toBeUndefined()
    expect(nearOf(record({ options: { locality: 'none' } }))).toBeUndefined()
  })
})
